//! What an import brings: a backup of GitLab CI, or a dump by itself.

use super::tables::{TABLES, check_table};
use crate::error::Result;

/// What an import brings. It decides what is done besides loading the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A backup of GitLab CI: its 15 tables and the build traces, for the database of a GitLab.
    Backup,
    /// A dump of any database: its tables, and nothing else.
    Dump,
}

impl Content {
    /// Whether there are build traces, and with them a builds directory to replace.
    #[must_use]
    pub fn has_traces(self) -> bool {
        self == Content::Backup
    }

    /// Whether GitLab's own steps belong to a publish: CI switched off and on, tags merged, migrations.
    #[must_use]
    pub fn has_gitlab_steps(self) -> bool {
        self == Content::Backup
    }

    /// Whether the tables go where the target's `search_path` says, as GitLab's own do.
    #[must_use]
    pub fn goes_to_current_schema(self) -> bool {
        self == Content::Backup
    }

    /// Whether a MySQL dump is converted for PostgreSQL though `--mysql-to-postgresql` is not given.
    #[must_use]
    pub fn is_converted_unasked(self) -> bool {
        self == Content::Dump
    }

    /// The tables it should have; none if that is known only when it is read.
    #[must_use]
    pub fn known_tables(self) -> &'static [&'static str] {
        match self {
            Content::Backup => &TABLES,
            Content::Dump => &[],
        }
    }

    /// Refuses a table that does not belong to it.
    pub fn check_table(self, name: &str) -> Result<()> {
        match self {
            Content::Backup => check_table(name),
            Content::Dump => Ok(()),
        }
    }
}
