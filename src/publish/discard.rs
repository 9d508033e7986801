//! Frees what a publish has put aside.

use std::fmt;
use std::path::PathBuf;

use postgres::Client;

use super::previous::{self, PREVIOUS_SCHEMA};
use super::record::Record;
use super::swap::begin;
use crate::error::{Doing, Result};
use crate::failpoint;
use crate::load::failure;
use crate::traces::BuildsDirectory;

/// What was freed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discarded {
    /// Tables.
    pub tables: Vec<String>,
    /// The schema they were in, or the database where that is the same.
    pub previous: String,
    /// Directories.
    pub directories: Vec<PathBuf>,
}

impl fmt::Display for Discarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tables.is_empty() && self.directories.is_empty() {
            return writeln!(f, "there was nothing to discard");
        }
        if !self.tables.is_empty() {
            writeln!(f, "removed {}: {}", self.previous, self.tables.join(", "))?;
        }
        for directory in &self.directories {
            writeln!(f, "removed {}", directory.display())?;
        }
        Ok(())
    }
}

/// The directories that [`discard`] would remove; none if there is nothing to free.
pub fn previous_directories(
    client: &mut Client,
    builds: Option<&BuildsDirectory>,
) -> Result<Option<Vec<PathBuf>>> {
    let Some(record) = Record::read(client)? else {
        return Ok(None);
    };
    record.directories(builds).map(Some)
}

/// Drops the tables that were replaced, and removes the builds directories that were. Cut off, it
/// can be done again: what is still to be removed stays on record until it is.
pub fn discard(client: &mut Client, builds: Option<&BuildsDirectory>) -> Result<Discarded> {
    let Some(record) = Record::read(client)? else {
        return Ok(Discarded::default());
    };
    let directories = record.directories(builds)?;
    // There is no way back from here on.
    let mut transaction = begin(client)?;
    previous::drop_contents(&mut transaction, PREVIOUS_SCHEMA, false)?;
    let without_tables = Record {
        published: Vec::new(),
        replaced: Vec::new(),
        ..record.clone()
    };
    without_tables.write(&mut transaction)?;
    failpoint::reached("old tables to be dropped");
    transaction
        .commit()
        .map_err(failure("drop the tables of the import before"))?;
    failpoint::reached("old tables dropped");
    for directory in &directories {
        std::fs::remove_dir_all(directory).doing(format!("remove {}", directory.display()))?;
        failpoint::reached("old directory removed");
    }
    let mut transaction = begin(client)?;
    previous::drop_contents(&mut transaction, PREVIOUS_SCHEMA, true)?;
    transaction
        .commit()
        .map_err(failure("drop the schema of the old tables"))?;
    failpoint::reached("schema of the old tables dropped");
    Ok(Discarded {
        tables: record.replaced,
        previous: PREVIOUS_SCHEMA.to_owned(),
        directories,
    })
}
