//! Frees what a publish has put aside.

use std::path::PathBuf;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::catalog::{base_tables, drop_tables};
use super::record::{self, RECORD};
use super::session::alone;
use super::swap::refuse_cut;
use crate::error::{Doing, Result};
use crate::failpoint;
use crate::mysql::sql::identifier;
use crate::mysql::{Databases, failure};
use crate::publish::Discarded;
use crate::publish::record::Record;
use crate::traces::BuildsDirectory;

/// The directories that [`discard`] would remove; none if there is nothing to free.
pub fn previous_directories(
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&BuildsDirectory>,
) -> Result<Option<Vec<PathBuf>>> {
    let Some(last) = record::last(conn, databases)? else {
        return Ok(None);
    };
    last.record.directories(builds).map(Some)
}

/// Drops the tables that were replaced, and removes the builds directories that were. Cut off, it can be
/// done again: what is still to be removed stays on record until it is.
pub fn discard(
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&BuildsDirectory>,
) -> Result<Discarded> {
    alone(conn, databases, |conn| {
        refuse_cut(conn, databases)?;
        let previous = &databases.previous;
        let Some(last) = record::last(conn, databases)? else {
            return Ok(Discarded::default());
        };
        let directories = last.record.directories(builds)?;
        // There is no way back from here on.
        let without_tables = Record {
            published: Vec::new(),
            replaced: Vec::new(),
            ..last.record.clone()
        };
        record::rewrite(conn, previous, &without_tables)?;
        failpoint::reached("old tables to be dropped");
        for table in base_tables(conn, previous)? {
            // The record goes last, with the database.
            if table != RECORD {
                drop_tables(conn, previous, &[table])?;
                failpoint::reached("old table dropped");
            }
        }
        failpoint::reached("old tables dropped");
        for directory in &directories {
            std::fs::remove_dir_all(directory).doing(format!("remove {}", directory.display()))?;
            failpoint::reached("old directory removed");
        }
        conn.query_drop(format!("DROP DATABASE {}", identifier(previous)))
            .map_err(failure(format!("drop the database {previous}")))?;
        failpoint::reached("database of the old tables dropped");
        Ok(Discarded {
            tables: last.record.replaced,
            previous: previous.clone(),
            directories,
        })
    })
}
