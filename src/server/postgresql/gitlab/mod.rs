//! What is particular to GitLab in PostgreSQL: its steps around the publish, and the built-in migrations.

mod ci_tables;
mod columns;
pub mod live;
pub mod migrations;
mod schema;
mod secrets;
pub mod tags;
mod without_trace;

pub use schema::schema;
pub use without_trace::builds_without_trace;
