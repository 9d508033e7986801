//! Migrations: changes of a database that are made once each, in the order of their versions; and
//! post-deployment migrations, which may wait until no running code depends on the old state (GitLab's
//! documentation, "Post-deployment migrations").
//!
//! Each server has a room of its own for migrations ([`crate::server`]). The rest of the program knows it by
//! [`MigrationSession`] and [`Dialect`].

#[cfg(test)]
pub(crate) mod contract;
pub(crate) mod dialect;
mod file;
mod folder;
mod generate;
pub(crate) mod interruption;
pub(crate) mod lexer;
pub(crate) mod migration;
pub(crate) mod refusal;
pub(crate) mod report;
pub(crate) mod retry;
mod runner;
pub(crate) mod session;
pub(crate) mod split;
mod status;
pub(crate) mod token;
pub(crate) mod version;
pub(crate) mod version_table;

pub use dialect::Dialect;
pub use folder::{DEFAULT_FOLDER, ordered, read, refuse_strangers};
pub use generate::generate;
pub use migration::{
    Migration, MigrationBody, MigrationPart, MigrationPlan, MigrationScript, MigrationStatement,
    Phase,
};
pub use report::{MigrationOutcome, MigrationReport, MigrationSummary};
pub use retry::RetryPolicy;
pub use runner::Runner;
pub use session::{
    BuiltInOutcome, Direction, MigrationSession, MigrationStep, UnfinishedMigration,
};
pub use status::{MigrationStatus, StatusRow};
pub use version::Version;
