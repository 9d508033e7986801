//! Migrations: changes of a database that are made once each, in the order in which they were
//! written; and post-deployment migrations, which may wait until no running code depends on the
//! old state (GitLab's documentation, "Post-deployment migrations").
//!
//! What a server does in its own way is in [`postgres`] and [`mysql`]; all else knows of it what
//! [`Migrates`] and [`Dialect`] say.

#[cfg(test)]
pub(crate) mod contract;
pub(crate) mod dialect;
mod file;
mod folder;
mod generate;
pub(crate) mod lexer;
pub(crate) mod migrates;
pub(crate) mod migration;
pub(crate) mod outcome;
pub(crate) mod patience;
mod runner;
pub(crate) mod split;
mod status;
pub(crate) mod token;
pub(crate) mod version;

pub use dialect::Dialect;
pub use folder::{DEFAULT_FOLDER, ordered, read};
pub use generate::generate;
pub use migrates::{Migrates, Ran, Step, Unfinished, Way};
pub use migration::{Body, Migration, Part, Phase, Plan, Script, Statement};
pub use outcome::{Finding, Outcome, Summary};
pub use patience::Patience;
pub use runner::Runner;
pub use status::{Row, Status};
pub use version::Version;
