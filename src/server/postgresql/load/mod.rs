//! Loads converted tables into a staging schema of the target, where nobody sees them.
//!
//! Several connections COPY chunks at the same time, also into the same table. After the last row of a table
//! its primary key and indexes are built, while the next table is loading.

pub(crate) mod constraints;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod indexes;
pub(crate) mod loader;
pub(crate) mod removal;
pub(crate) mod session;
pub(crate) mod settle;
pub(crate) mod staged_tables;
pub(crate) mod staging;
pub(crate) mod style;
mod update_triggers;
pub(crate) mod worker;

pub use loader::Loader;
pub use staging::{LockHolder, Staging};
pub(crate) use staging::{MARK, schemas_beside};
pub use style::{STAGING_SCHEMA, staging_of};
