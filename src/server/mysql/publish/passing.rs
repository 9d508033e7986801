//! The database `passing`, which exists only during a publish. Before the moves it has the record and the
//! kept rows; during the moves it has what the previous publish had moved aside.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::catalog::{base_tables, drop_tables, make_database, tables_of};
use super::moves::Move;
use super::names::RECORD;
use super::names::{KEPT, MARK, OURS, before, is_kept_of};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::{identifier, qualified};

/// Creates the database for the publish `id`.
pub(super) fn make(conn: &mut Conn, databases: &Databases, id: &str) -> Result<()> {
    make_database(conn, &databases.passing)?;
    failpoint::reached("passing database made");
    let mark = qualified(&databases.passing, MARK);
    let doing = || failure(format!("write into the database {}", databases.passing));
    conn.query_drop(format!(
        "CREATE TABLE {mark} (publish VARCHAR(64) CHARACTER SET ascii PRIMARY KEY) ENGINE=InnoDB"
    ))
    .map_err(doing())?;
    conn.exec_drop(format!("INSERT INTO {mark} VALUES (?)"), (id,))
        .map_err(doing())?;
    failpoint::reached("passing database marked");
    Ok(())
}

/// The number of the publish that has left the database; none if the database does not exist.
pub(super) fn publish_of(conn: &mut Conn, databases: &Databases) -> Result<Option<String>> {
    let passing = &databases.passing;
    let tables = tables_of(conn, passing)?;
    if tables.is_empty() {
        return Ok(None);
    }
    if !tables.iter().any(|name| name == MARK) {
        return Err(Error::target(format!(
            "the target has a database {passing} that ci-import did not create"
        ))
        .hint("rename it: a publish needs a database with this name"));
    }
    conn.query_first(format!("SELECT publish FROM {}", qualified(passing, MARK)))
        .map_err(failure(format!("look into the database {passing}")))
}

/// Drops the database with its tables. An interrupted drop can be repeated.
pub(super) fn clean(conn: &mut Conn, databases: &Databases) -> Result<()> {
    publish_of(conn, databases)?;
    let passing = &databases.passing;
    let mut tables = base_tables(conn, passing)?;
    // The record is dropped first, because nobody looks for the other tables without it. The mark is dropped
    // last, with the database.
    tables.sort_by_key(|name| name != RECORD);
    tables.retain(|name| name != MARK);
    for table in tables {
        drop_tables(conn, passing, &[table])?;
        failpoint::reached("passing table dropped");
    }
    conn.query_drop(format!("DROP DATABASE IF EXISTS {}", identifier(passing)))
        .map_err(failure(format!("drop the database {passing}")))?;
    failpoint::reached("passing database dropped");
    Ok(())
}

/// The moves that clear `previous`: what the previous publish had moved aside goes to `passing`.
pub(super) fn moves_of_before(conn: &mut Conn, databases: &Databases) -> Result<Vec<Move>> {
    let (previous, passing) = (&databases.previous, &databases.passing);
    let tables = base_tables(conn, previous)?;
    // The record moves first, so that its place shows how many moves were done.
    let (ours, theirs): (Vec<_>, Vec<_>) =
        tables.into_iter().partition(|name| name.starts_with(OURS));
    let ours = ours.iter().map(|name| Move {
        from: (previous.clone(), name.clone()),
        to: (passing.clone(), before(name)),
    });
    let theirs = theirs.iter().map(|name| Move::of(name, previous, passing));
    Ok(ours.chain(theirs).collect())
}

/// Whether there are tables for kept rows.
pub(super) fn keeps_rows(conn: &mut Conn, databases: &Databases) -> Result<bool> {
    let tables = base_tables(conn, &databases.passing)?;
    Ok(tables.iter().any(|name| is_kept_of(name).is_some()))
}

/// The moves of the kept rows and of the record into `previous`.
pub(super) fn moves_of_record(conn: &mut Conn, databases: &Databases) -> Result<Vec<Move>> {
    let (previous, passing) = (&databases.previous, &databases.passing);
    let tables = base_tables(conn, passing)?;
    let kept = tables.iter().filter(|name| name.starts_with(KEPT));
    let record = RECORD.to_owned();
    let all = kept.chain([&record]);
    Ok(all.map(|name| Move::of(name, passing, previous)).collect())
}
