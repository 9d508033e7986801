//! Which archive or dump is live.

use mysql::Conn;

use super::catalog::tables_of;
use super::record::{self, State, last};
use crate::error::Result;
use crate::publish::outcome::LiveInput;
use crate::server::mysql::databases::Databases;

/// The archive or dump of the last publish, if its record says which it is, and all its tables are there.
pub fn live_input(conn: &mut Conn, databases: &Databases) -> Result<Option<LiveInput>> {
    let Some(written) = last(conn, databases)? else {
        return Ok(None);
    };
    let record = written.record;
    if written.state != State::Published {
        return Ok(None);
    }
    let there = tables_of(conn, &databases.live)?;
    if !record.published.iter().all(|name| there.contains(name)) {
        return Ok(None);
    }
    Ok(record.live_input())
}

/// All prefixes that the record knows.
pub fn known_prefixes(conn: &mut Conn, databases: &Databases) -> Result<Vec<String>> {
    let record = last(conn, databases)?.map(|written| written.record);
    let prefixes = record.unwrap_or_default().prefixes;
    Ok(prefixes.all().cloned().collect())
}

/// The prefix with the live traces, if they are in an object storage.
pub fn live_prefix(conn: &mut Conn, databases: &Databases) -> Result<Option<String>> {
    Ok(last(conn, databases)?.and_then(|written| written.record.prefixes.live))
}

/// Whether the record only says which prefix is live. False, too, if it cannot be read.
pub fn is_at_rest(conn: &mut Conn, databases: &Databases) -> bool {
    let last = last(conn, databases).ok().flatten();
    last.is_some_and(|last| record::is_at_rest(conn, databases, &last).unwrap_or(false))
}
