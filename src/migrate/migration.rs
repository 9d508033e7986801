//! What a migration is: a version, a name, the phase of a deployment it belongs to, and what it does.

use std::fmt;
use std::path::PathBuf;

use postgres::Transaction;

use super::version::Version;
use crate::error::Result;

/// When in a deployment a migration may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Before the new code starts; the code that runs goes on with what it leaves.
    Regular,
    /// When no running code depends on the old state any more.
    PostDeployment,
}

impl Phase {
    /// Both, in the order of a deployment.
    pub const ALL: [Phase; 2] = [Phase::Regular, Phase::PostDeployment];

    /// The folder of its migrations.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Phase::Regular => "migrate",
            Phase::PostDeployment => "post_migrate",
        }
    }
}

/// A migration.
#[derive(Debug, Clone)]
pub struct Migration {
    /// No two have the same.
    pub version: Version,
    /// What it does, in a few words joined by underscores.
    pub name: String,
    /// When it may run.
    pub phase: Phase,
    /// What it does.
    pub body: Body,
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.version, self.name)
    }
}

/// What a migration does.
#[derive(Debug, Clone)]
pub enum Body {
    /// What is in a file.
    File(Script),
    /// What this program knows to do.
    BuiltIn(BuiltIn),
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file.
    pub path: PathBuf,
    /// What is run.
    pub up: Part,
    /// What undoes it, if it can be undone.
    pub down: Option<Part>,
}

/// Statements that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// In order.
    pub statements: Vec<Statement>,
    /// Each takes effect by itself, as some of PostgreSQL's must: CREATE INDEX CONCURRENTLY, VACUUM.
    pub no_transaction: bool,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where it begins in its file, counted from 1; none if it is of no file.
    pub line: Option<usize>,
    /// Without a semicolon at its end.
    pub sql: String,
}

impl From<String> for Statement {
    fn from(sql: String) -> Statement {
        Statement { line: None, sql }
    }
}

/// A migration of this program's own. It decides by what it finds, so it can be run again at any time.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Statements that lock what is looked at in the schema, where nobody may change it from then on.
    pub lock: fn(&mut Transaction<'_>, &str) -> Result<Vec<String>>,
    /// Says what is to be done in the schema. It changes nothing itself.
    pub plan: fn(&mut Transaction<'_>, &str) -> Result<Plan>,
}

/// What a built-in migration is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Statements, if anything is to be done at all, and what it means, for people.
    Run {
        /// In order.
        statements: Vec<String>,
        /// As in "dropped ci_jobs".
        told: String,
    },
    /// It stays pending, for this reason.
    Wait(String),
}
