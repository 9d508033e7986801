//! Migrations: changes of a database that are made once each, in the order in which they were
//! written; and post-deployment migrations, which may wait until no running code depends on the
//! old state (GitLab's documentation, "Post-deployment migrations").
//!
//! What a server does in its own way is in [`postgres`]: all else here would serve another one.

mod file;
mod folder;
mod generate;
mod migration;
mod outcome;
pub mod postgres;
mod runner;
mod status;
mod version;

pub use folder::{DEFAULT_FOLDER, ordered, read};
pub use generate::generate;
pub use migration::{Body, BuiltIn, Migration, Part, Phase, Plan, Script, Statement};
pub use outcome::{Finding, Outcome, Summary};
pub use postgres::{Patience, Session};
pub use runner::Runner;
pub use status::{Row, Status};
pub use version::Version;
