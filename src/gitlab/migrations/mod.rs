//! The built-in migrations. An import leaves something to be done in the database of a GitLab. As
//! migrations these steps can run with the import, later, or without an import on a database that was
//! converted by hand.
//!
//! Their versions are of a time before GitLab was written. So none of GitLab's own is the same, and none of
//! them is ever the latest version, by which Rails tells how new a database is. They are recorded like all
//! others, but for the tables of one import: the next import brings tables for which they have not run.
//!
//! What a migration decides is here; servers answer its questions through [`database::CiDatabase`].

pub mod database;
pub mod jobs;
pub mod list;
pub mod previous;
pub mod services;
pub mod tags;
pub mod wait_reason;

pub use list::KnownMigration;
