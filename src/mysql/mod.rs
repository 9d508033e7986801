//! MySQL and MariaDB as targets: what `convert`, `load`, `verify` and `publish` are for PostgreSQL.

mod constraints;
mod convert;
mod create;
mod databases;
mod ddl;
mod enums;
mod expression;
mod failure;
pub mod gitlab;
mod insert;
mod loader;
mod locks;
mod look;
mod offers;
pub mod publish;
mod rights;
mod sent;
pub mod sql;
mod staging;
mod statement;
mod table;
mod target;
mod worker;

pub use convert::{Converter, Hashed, Sink};
pub use databases::Databases;
pub use failure::failure;
pub use loader::Loader;
pub use locks::lock_name;
pub use look::Looker;
pub use offers::Offers;
pub use rights::{MayMake, may_make_databases};
pub use staging::{Owner, Staging};
pub use table::Table;
pub use target::{Server, Target};
