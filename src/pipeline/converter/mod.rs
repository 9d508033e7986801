//! Between a dump and the sink that takes it: maps definitions, and plans how rows go. There is a
//! converter for each notation of dumps.

mod bare;
mod conversion;
mod converted;
mod mapping;
mod mysql;
mod postgresql;
mod postgresql_columns;
mod postgresql_mapping;

pub use conversion::{Accept, Conversion, LatePrefix};
pub use converted::ConvertedConverter;
pub use mapping::{Mapped, MappedColumn, Mapping};
pub use mysql::MysqlConverter;
pub use postgresql::PostgresqlConverter;
pub use postgresql_mapping::{PostgresqlMapping, not_null_after_load};
