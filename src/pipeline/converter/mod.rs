//! The converters between a dump and its sink. They map definitions, and plan how rows are transcoded. Each
//! notation of dumps has its converter.

mod bare;
mod conversion;
mod converted;
mod mapping;
mod mysql;
mod postgresql;
mod postgresql_columns;
mod postgresql_mapping;
mod postgresql_sequences;

pub use conversion::{Accept, Check, Conversion, LatePrefix};
pub use converted::ConvertedConverter;
pub(crate) use mapping::changes_rows;
pub use mapping::{Mapped, MappedAgain, MappedColumn, Mapping};
pub use mysql::MysqlConverter;
pub use postgresql::PostgresqlConverter;
pub use postgresql_mapping::{PostgresqlMapping, not_null_after_load};
