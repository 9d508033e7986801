//! Loads converted tables into a staging schema of the target, where nobody sees them.
//!
//! Several connections COPY chunks at the same time, also into the same table. When the rows of a
//! table are in, its primary key and indexes are built, while the next table loads.

mod constraints;
mod create;
mod failure;
mod loader;
mod read_back;
mod staging;
mod statement;
mod target;
mod worker;

pub use failure::failure;
pub use loader::Loader;
pub use read_back::read_back;
pub use staging::{Owner, STAGING_SCHEMA, Staging};
pub(crate) use target::NO_TIME_LIMITS;
pub use target::{Server, Target};
