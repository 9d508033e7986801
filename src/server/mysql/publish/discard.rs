//! Removes what a publish has moved aside.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::catalog::{base_tables, drop_tables};
use super::lock::alone;
use super::names::RECORD;
use super::names::is_kept_of;
use super::record;
use super::swap::refuse_cut;
use crate::error::Result;
use crate::failpoint;
use crate::publish::outcome::{Aside, Discarded};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::{identifier, qualified};
use crate::traces::Builds;

/// Where traces are that [`discard`] would remove; none if there is nothing to remove at all.
pub fn traces_aside(
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&Builds>,
) -> Result<Option<Vec<String>>> {
    let Some(last) = record::last(conn, databases)? else {
        return Ok(None);
    };
    if record::is_at_rest(conn, databases, &last)? {
        return Ok(None);
    }
    Ok(Some(last.record.traces_aside(builds)?.shown()))
}

/// Drops the replaced tables, and removes the replaced traces. An interrupted discard can be
/// repeated: the record lists what is still to be removed.
pub fn discard(
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&Builds>,
) -> Result<Discarded> {
    alone(conn, databases, |conn| {
        refuse_cut(conn, databases)?;
        let previous = &databases.previous;
        let Some(last) = record::last(conn, databases)? else {
            return Ok(Discarded::default());
        };
        // A wrong place for the traces is found before anything is dropped.
        let traces = last.record.traces_aside(builds)?;
        // From here on, a rollback is no longer possible.
        record::rewrite(conn, previous, &last.record.without_tables())?;
        failpoint::reached("old tables to be dropped");
        let mut dropped = base_tables(conn, previous)?;
        // The record is dropped last, with the database.
        dropped.retain(|table| table != RECORD);
        for table in &dropped {
            drop_tables(conn, previous, std::slice::from_ref(table))?;
            failpoint::reached("old table dropped");
        }
        failpoint::reached("old tables dropped");
        traces.remove()?;
        match &traces.rest {
            Some(rest) => record::rewrite(conn, previous, rest)?,
            None => conn
                .query_drop(format!("DROP DATABASE {}", identifier(previous)))
                .map_err(failure(format!("drop the database {previous}")))?,
        }
        failpoint::reached("database of the old tables dropped");
        Ok(Discarded {
            // After an interrupted discard, the record names none any more.
            tables: if last.record.replaced.is_empty() {
                dropped
            } else {
                last.record.replaced
            },
            previous: previous.clone(),
            traces: traces.shown(),
            kept: None,
        })
    })
}

/// Examines the tables that a publish has moved aside; none if there are no such tables. Takes no lock: the
/// session must hold the lock of `lock::alone`.
pub fn look_aside(conn: &mut Conn, databases: &Databases) -> Result<Option<Aside>> {
    let previous = &databases.previous;
    let Some(last) = record::last(conn, databases)? else {
        return Ok(None);
    };
    let mut tables = base_tables(conn, previous)?;
    tables.retain(|name| name != RECORD);
    // After an interrupted drop the record excludes a rollback, but tables may be left.
    if tables.is_empty() && !last.record.can_be_undone() {
        return Ok(None);
    }
    let mut aside = Aside {
        has_builds: last.record.has_builds_aside(),
        ..Aside::default()
    };
    for name in &tables {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", qualified(previous, name));
        let any: Option<u8> = conn
            .query_first(sql)
            .map_err(failure("look at the tables of the previous import"))?;
        match is_kept_of(name) {
            _ if any.is_none() => {}
            Some(of) => aside.kept.push(of.to_owned()),
            None => aside.replaced.push(name.clone()),
        }
    }
    // As in a discard: first the record excludes a rollback.
    aside.statements = vec![record::rewriting(previous, &last.record.without_tables())];
    if !tables.is_empty() {
        let tables: Vec<String> = tables
            .iter()
            .map(|name| qualified(previous, name))
            .collect();
        aside.statements.extend([
            "SET SESSION foreign_key_checks = 0".to_owned(),
            format!("DROP TABLE {}", tables.join(", ")),
            "SET SESSION foreign_key_checks = 1".to_owned(),
        ]);
    }
    match last.record.at_rest() {
        _ if aside.has_builds => {}
        Some(rest) => aside.statements.push(record::rewriting(previous, &rest)),
        None => {
            let database = identifier(previous);
            aside.statements.push(format!("DROP DATABASE {database}"));
        }
    }
    Ok(Some(aside))
}
