//! What is particular to GitLab in MySQL: its steps around the publish, and the built-in migrations.

mod ci_tables;
mod engine;
pub mod live;
pub mod migrations;
mod secrets;
mod tags;
mod without_trace;

pub use live::{Exchange, Publishing, ci_enabled, undo};
pub use tags::{analyze as analyze_tags, missing_taggings};
pub use without_trace::builds_without_trace;
