//! What is particular to GitLab, whatever the server is: its tables, its versions, the built-in migrations.

pub mod content;
pub mod information;
pub mod known_migrations;
pub mod live;
pub mod tables;
