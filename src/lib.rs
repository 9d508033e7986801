//! `ci-import` makes the backup archive of a CI server live in PostgreSQL: all of it, or nothing.
//!
//! The rooms, in the order the data passes; `ARCHITECTURE.md` has the map.

pub mod dump;
pub mod error;
pub mod rows;
pub mod schema;
