//! The lock that one run at a time holds in a database. It belongs to the session and ends with it.

use postgres::Client;

use crate::error::{Error, Result};
use crate::server::postgresql::error::failure;

/// The key of the advisory lock: an arbitrary number that never changes.
const LOCK_KEY: i64 = 0x6369_2d6d_6967_7261;

/// Whether the session holds the lock.
const HOLDS_LOCK: &str = "\
SELECT EXISTS (
  SELECT 1 FROM pg_catalog.pg_locks
  WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() AND granted
    AND (classid::bigint << 32) | objid::bigint = $1 AND objsubid = 1)";

/// Takes the lock if it is free.
pub(super) fn take(client: &mut Client) -> Result<bool> {
    let row = client
        .query_one("SELECT pg_catalog.pg_try_advisory_lock($1)", &[&LOCK_KEY])
        .map_err(failure("take the lock of migrations"))?;
    Ok(row.get(0))
}

/// Returns an error if the session has lost its lock. A pooler may have switched to another session of the
/// server, or a migration may have released it.
pub(super) fn check(client: &mut Client) -> Result<()> {
    let row = client
        .query_one(HOLDS_LOCK, &[&LOCK_KEY])
        .map_err(failure("look at the lock of migrations"))?;
    if row.get(0) {
        return Ok(());
    }
    Err(Error::target("the lock of migrations is no longer held").hint(
        "is a pooler between that shares sessions? connect to the server itself; or has a migration let go of \
         it by pg_advisory_unlock_all?",
    ))
}
