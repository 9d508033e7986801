//! The lock of a publish: its exclusive lock on the target, its lock timeouts, and its transaction.

use std::time::Duration;

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::{Error, Result};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::lock_names::lock_name;

/// The lock timeout of a publish for the live tables, in seconds.
const LOCK_TIMEOUT: u32 = 15;

/// The settings of the session. Repeatable read prevents that others add rows to what was read for update.
const SETTINGS: &str = "autocommit = 1, foreign_key_checks = 1";

/// Runs `what` while no other session publishes, recovers, rolls back or discards in these databases. The
/// server releases the lock only after the session's last statement and transaction have ended. So the new
/// owner of the lock knows that nothing of an earlier session is still running.
pub(crate) fn alone<T>(
    conn: &mut Conn,
    databases: &Databases,
    what: impl FnOnce(&mut Conn) -> Result<T>,
) -> Result<T> {
    let doing = || failure("prepare the session");
    // Within this time the session of a client that has ended gives up waiting for a lock, and rolls back.
    let patience = 2 * LOCK_TIMEOUT;
    conn.query_drop(format!(
        "SET SESSION lock_wait_timeout = {LOCK_TIMEOUT}, innodb_lock_wait_timeout = {LOCK_TIMEOUT}, \
         {SETTINGS}"
    ))
    .map_err(doing())?;
    conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .map_err(doing())?;
    let lock = lock_name("publish", &databases.live);
    let got: Option<Option<u8>> = conn
        .exec_first("SELECT GET_LOCK(?, ?)", (&lock, patience))
        .map_err(failure("lock the target"))?;
    if got.flatten() != Some(1) {
        return Err(Error::target(format!(
            "another session is publishing into the database {}",
            databases.live
        ))
        .hint("wait until it has ended, then run it again"));
    }
    let result = what(conn);
    // A lost session has lost the lock, too.
    let _ = conn.exec_drop("DO RELEASE_LOCK(?)", (&lock,));
    result
}

/// Lets the session wait for the live tables as long as `limit`, but not longer than before: who comes after a waiting RENAME
/// TABLE waits, too, and the session of a client that has ended goes on waiting.
pub(super) fn wait_at_most(conn: &mut Conn, limit: Duration) -> Result<()> {
    let seconds = limit.as_secs().clamp(1, LOCK_TIMEOUT.into());
    conn.query_drop(format!(
        "SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"
    ))
    .map_err(failure("prepare the session"))
}

/// Runs `what` in a transaction. It must not contain a statement that commits implicitly, such as DDL.
pub(super) fn in_transaction<T>(
    conn: &mut Conn,
    what: impl FnOnce(&mut Conn) -> Result<T>,
) -> Result<T> {
    conn.query_drop("START TRANSACTION")
        .map_err(failure("begin a transaction"))?;
    let result = what(conn).and_then(|done| {
        conn.query_drop("COMMIT")
            .map_err(failure("commit the publish"))?;
        Ok(done)
    });
    if result.is_err() {
        // If the session is lost, the server rolls back.
        let _ = conn.query_drop("ROLLBACK");
    }
    result
}
