//! What is particular to GitLab on any server: its tables, its versions, the built-in migrations.

pub mod content;
pub mod information;
pub mod installation;
pub mod live;
pub mod migrations;
pub mod secrets;
pub mod tables;
pub mod tags;
pub mod target_version;
pub(crate) mod yaml;
