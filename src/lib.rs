//! `ci-import` makes the backup archive of a CI server live in PostgreSQL or MySQL: all of it, or nothing.
//!
//! The rooms, in the order the data passes; `ARCHITECTURE.md` has the map.

pub mod cli;
pub mod settings;

pub mod archive;
mod board;
pub mod charset;
pub mod check_command;
pub mod contents;
pub mod convert;
pub mod convert_command;
mod crew;
pub mod dump;
pub mod failpoint;
pub mod generate_command;
pub mod gitlab;
pub mod load;
pub mod loaded;
pub mod migrate;
pub mod migrate_command;
pub mod mysql;
mod naming;
pub mod output;
pub mod policies;
pub mod publish;
pub mod publish_commands;
pub mod read_dump;
pub mod rows;
pub mod schema;
pub mod target;
pub mod traces;
pub mod verify;
pub mod verify_command;

pub mod backups;
pub mod error;
pub mod halt;
pub mod import;
pub mod input;
pub mod inspect;
pub mod members;
pub mod preflight;
pub mod private_server;
pub mod progress;
pub mod report;
pub mod resources;
pub mod terminal;
