//! `ci-import` restores a GitLab CI backup into PostgreSQL or MySQL: all of it, or nothing.
//!
//! `ARCHITECTURE.md` has the map.

#![cfg_attr(
    not(feature = "servers"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "the servers use it"
    )
)]

pub mod archive;
pub mod cancellation;
#[cfg(feature = "servers")]
pub mod cli;
#[cfg(feature = "servers")]
pub mod commands;
pub mod dump;
pub mod error;
pub mod failpoint;
mod files;
pub mod gitlab;
#[cfg(feature = "servers")]
pub mod input;
pub mod migrate;
pub mod output;
pub mod pipeline;
#[cfg(feature = "servers")]
pub mod publish;
pub mod resources;
pub mod rows;
pub mod schema;
#[cfg(feature = "servers")]
pub mod server;
#[cfg(feature = "servers")]
pub mod storage;
pub mod traces;
pub mod ui;
#[cfg(feature = "servers")]
pub mod verify;
