//! The record of a publish in the database: its plan and its state.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::catalog::{base_tables, tables_of};
use super::moves::{self, Move};
use super::names::RECORD;
use super::names::scratch;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::publish::record::Record;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::{literal, qualified};

/// The state of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The publish is to be undone, if it has changed anything.
    Begun,
    /// The import is live. The remaining steps are to be completed.
    Published,
}

const BEGUN: &str = "begun";
const PUBLISHED: &str = "published";

/// The record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// The number of the publish, unique among all servers.
    pub(super) id: String,
    pub(super) state: State,
    pub(super) record: Record,
    pub(super) moves: Vec<Move>,
}

/// A new number for a publish.
pub(super) fn new_id(conn: &mut Conn) -> Result<String> {
    let id: Option<String> = conn
        .query_first("SELECT UUID()")
        .map_err(failure("number the publish"))?;
    id.ok_or_else(|| Error::target("the target does not return a number for the publish"))
}

/// Records in the database `passing` that a publish begins.
pub(super) fn begin(conn: &mut Conn, databases: &Databases, written: &Written) -> Result<()> {
    let table = qualified(&databases.passing, RECORD);
    let doing = || failure("write the record of the publish");
    conn.query_drop(format!(
        "CREATE TABLE {table} (id VARCHAR(64) PRIMARY KEY, state VARCHAR(16) NOT NULL,
           record LONGTEXT NOT NULL, moves LONGTEXT NOT NULL)
         ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    ))
    .map_err(doing())?;
    failpoint::reached("record made");
    let moves = moves::to_json(&written.moves);
    let record = written.record.to_json();
    conn.exec_drop(
        format!("INSERT INTO {table} VALUES (?, '{BEGUN}', ?, ?)"),
        (&written.id, record, moves),
    )
    .map_err(doing())?;
    make_durable(conn, databases)?;
    failpoint::reached("publish on record");
    Ok(())
}

/// Makes the server write its log to the disk. A server may delay that for a commit
/// (`innodb_flush_log_at_trx_commit`), but not for a definition. Earlier commits precede the definition in
/// the log.
fn make_durable(conn: &mut Conn, databases: &Databases) -> Result<()> {
    let table = qualified(&databases.passing, &scratch("durable"));
    conn.query_drop(format!(
        "CREATE TABLE {table} (id INT PRIMARY KEY) ENGINE=InnoDB"
    ))
    .map_err(failure("flush the log of the server"))
}

/// Sets the record in `database` to `published`, in the open transaction.
pub(super) fn set_published(conn: &mut Conn, database: &str) -> Result<()> {
    let table = qualified(database, RECORD);
    conn.query_drop(format!("UPDATE {table} SET state = '{PUBLISHED}'"))
        .map_err(failure("write the record of the publish"))
}

/// Replaces the content of the record in `database`.
pub(super) fn rewrite(conn: &mut Conn, database: &str, record: &Record) -> Result<()> {
    conn.query_drop(rewriting(database, record))
        .map_err(failure("write the record of the publish"))
}

/// The statement of [`rewrite`].
pub(super) fn rewriting(database: &str, record: &Record) -> String {
    let (table, record) = (qualified(database, RECORD), literal(&record.to_json()));
    format!("UPDATE {table} SET record = {record}")
}

/// The record of the publish that is running, or of the last one; none if there was none.
pub(super) fn find(conn: &mut Conn, databases: &Databases) -> Result<Option<Written>> {
    if tables_of(conn, &databases.passing)?
        .iter()
        .any(|name| name == RECORD)
        && let Some(written) = read_from(conn, &databases.passing)?
    {
        return Ok(Some(written));
    }
    last(conn, databases)
}

/// The record of the last publish, which is stored with the replaced tables. An error if the database is not
/// ours.
pub(super) fn last(conn: &mut Conn, databases: &Databases) -> Result<Option<Written>> {
    let previous = &databases.previous;
    let tables = tables_of(conn, previous)?;
    if tables.is_empty() {
        return Ok(None);
    }
    if !tables.iter().any(|name| name == RECORD) {
        return Err(not_ours(previous));
    }
    read_from(conn, previous)
}

/// Whether the record of the last publish only says which prefix of an object storage is live. An interrupted discard has
/// written that before it drops the tables.
pub(super) fn is_at_rest(conn: &mut Conn, databases: &Databases, last: &Written) -> Result<bool> {
    let tables = base_tables(conn, &databases.previous)?;
    Ok(last.record.is_at_rest() && tables.iter().all(|name| name == RECORD))
}

fn read_from(conn: &mut Conn, database: &str) -> Result<Option<Written>> {
    let row: Option<(String, String, String, String)> = conn
        .query_first(format!(
            "SELECT id, state, record, moves FROM {}",
            qualified(database, RECORD)
        ))
        .map_err(failure("read the record of the previous publish"))?;
    let Some((id, state, record, moves)) = row else {
        return Ok(None);
    };
    let state = match state.as_str() {
        BEGUN => Some(State::Begun),
        PUBLISHED => Some(State::Published),
        _ => None,
    };
    let known = state
        .zip(Record::from_json(&record))
        .zip(moves::from_json(&moves));
    let ((state, record), moves) = known.ok_or_else(|| not_ours(database))?;
    Ok(Some(Written {
        id,
        state,
        record,
        moves,
    }))
}

fn not_ours(database: &str) -> Error {
    Error::target(format!(
        "the target has a database {database} that ci-import did not create"
    ))
    .hint("rename it: the replaced tables are kept in a database with this name")
}
