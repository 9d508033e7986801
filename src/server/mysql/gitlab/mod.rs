//! What [`crate::server::postgresql::gitlab`] does to a database in PostgreSQL, done to one in MySQL.

pub mod live;
pub mod migrations;
mod tags;

pub use live::{Exchange, Publishing, ci_enabled, undo};
pub use tags::missing_taggings;
