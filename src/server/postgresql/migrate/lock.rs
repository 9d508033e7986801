//! The lock that one run at a time has in a database. It is the session's, and gone with it.

use postgres::Client;

use crate::error::{Error, Result};
use crate::server::postgresql::error::failure;

/// Of the advisory lock; any number, but always the same.
const LOCK_KEY: i64 = 0x6369_2d6d_6967_7261;

/// Whether the session has the lock.
const HOLDS_LOCK: &str = "\
SELECT EXISTS (
  SELECT 1 FROM pg_catalog.pg_locks
  WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() AND granted
    AND (classid::bigint << 32) | objid::bigint = $1 AND objsubid = 1)";

/// Takes the lock, if nobody has it.
pub(super) fn take(client: &mut Client) -> Result<bool> {
    let row = client
        .query_one("SELECT pg_catalog.pg_try_advisory_lock($1)", &[&LOCK_KEY])
        .map_err(failure("take the lock of migrations"))?;
    Ok(row.get(0))
}

/// An error if the session has not the lock that it took: a pooler may have given it another session of the
/// server, or a migration may have let go of it.
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
