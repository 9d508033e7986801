//! Which archive or dump is live.

use mysql::Conn;

use super::catalog::tables_of;
use super::record::{State, last};
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
