//! MySQL and MariaDB as targets: what `load`, `verify` and `publish` are for PostgreSQL.

mod databases;
mod failure;
pub mod sql;
mod target;

pub use databases::Databases;
pub use failure::failure;
pub use target::Target;
