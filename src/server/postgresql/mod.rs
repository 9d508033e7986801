//! PostgreSQL as a target. The folder `mysql` has the same file names.

mod about;
pub(crate) mod authentication;
pub mod connection;
pub mod connection_failure;
pub(crate) mod connector;
pub(crate) mod dump_program;
pub mod error;
pub(crate) mod foreign_code;
pub mod gitlab;
pub mod load;
pub(crate) mod message;
pub mod migrate;
pub mod options;
mod poolers;
pub mod private_server;
mod products;
pub mod publish;
pub(crate) mod search_path;
mod server_programs;
pub mod session;
pub mod statement;
pub mod target;
pub mod tls;
mod update_triggers;
pub mod verify;
