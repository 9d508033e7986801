//! The servers that an import can go to. Here alone they are told apart: each has a [`Held`], and what
//! is done with a target goes through that.

mod dump;
mod held;
mod postgresql;

use std::fmt;
use std::path::{Path, PathBuf};

pub use dump::{Dump, Loads};
pub use held::Held;

use crate::error::Result;
use crate::halt::Halt;
use crate::load;
use crate::verify::{ExpectedTable, TableFinding};
use postgresql::HeldPostgresql;

/// A database to import into.
#[derive(Clone)]
pub enum Target {
    /// Of a PostgreSQL.
    Postgresql(load::Target),
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// What it is and its version, as it writes it.
    pub version: String,
    /// Where its data are, if it runs on this machine and says so.
    pub data_directory: Option<PathBuf>,
}

impl Target {
    /// The target that `url` names together with the environment, in which `variable` looks up a
    /// variable.
    pub fn named(url: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Target> {
        load::Target::named(url, variable).map(Target::Postgresql)
    }

    /// The same of the URL in the variable `DATABASE_URL`, if there is one.
    pub fn from_database_url(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Target>> {
        Ok(load::Target::from_database_url(variable)?.map(Target::Postgresql))
    }

    /// The target that libpq's environment names, if it names one.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Target>> {
        Ok(load::Target::from_environment(variable)?.map(Target::Postgresql))
    }

    /// The target that the file `database.yml` has for `environment`.
    pub fn from_database_yml(
        file: &Path,
        environment: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Target> {
        load::Target::from_database_yml(file, environment, variable).map(Target::Postgresql)
    }

    /// Connects and takes the lock that only one import at a time can have.
    pub fn hold(&self) -> Result<Box<dyn Held>> {
        Ok(match self {
            Target::Postgresql(target) => Box::new(HeldPostgresql::lock(target)?),
        })
    }

    /// What the server says of itself.
    pub fn server(&self) -> Result<Server> {
        match self {
            Target::Postgresql(target) => postgresql::server(target),
        }
    }

    /// What reads a dump into tables as this target would have them.
    #[must_use]
    pub fn expects(&self) -> &dyn Expects {
        match self {
            Target::Postgresql(target) => target,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Postgresql(target) => target.fmt(f),
        }
    }
}

/// Compares what is live with what a dump says.
pub trait Expects: Sync {
    /// The tables that the target should have of `dump`, with their checksums.
    fn expected(&self, dump: Dump<'_>) -> Result<Vec<ExpectedTable>>;
    /// The schema that tables are in, where `named` was named or nothing, of an archive or not.
    fn schema(&self, named: Option<&str>, is_archive: bool) -> Result<String>;
    /// Compares the tables in `schema` with what is expected, in `jobs` sessions.
    fn verify(
        &self,
        jobs: usize,
        schema: &str,
        expected: &[ExpectedTable],
        halt: &Halt,
    ) -> Result<Vec<TableFinding>>;
    /// How many of CI's taggings are not among GitLab's; none if it has no tables for them.
    fn missing_taggings(&self, schema: &str) -> Result<Option<i64>>;
}
