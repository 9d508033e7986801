//! What is particular to GitLab in PostgreSQL: its steps around the publish, and the built-in migrations.

mod ci_tables;
mod columns;
pub mod live;
pub mod migrations;
mod schema;
mod secrets;
pub mod tags;

pub use schema::schema;
