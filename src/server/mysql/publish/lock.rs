//! The lock of a publish: how long it waits for others, and that it is alone; and its transaction.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::{Error, Result};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::locks::lock_name;

/// How long others may hold the live tables before the publish gives up, in seconds.
const LOCK_TIMEOUT: u32 = 15;

/// What the session is set to. Repeatable read keeps others from adding rows to what was read for
/// update.
const SETTINGS: &str = "autocommit = 1, foreign_key_checks = 1";

/// Does `what` while no other session publishes, recovers, rolls back or discards in these databases.
/// The server lets go of the lock after it has ended the session's last statement and transaction, so
/// who has it knows that nothing is still on its way from a session whose client is gone.
pub(crate) fn alone<T>(
    conn: &mut Conn,
    databases: &Databases,
    what: impl FnOnce(&mut Conn) -> Result<T>,
) -> Result<T> {
    let doing = || failure("prepare the session");
    // In its time a session that is gone gives up waiting for a lock, and undoes what it began.
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
    // A session that is lost has lost the lock as well.
    let _ = conn.exec_drop("DO RELEASE_LOCK(?)", (&lock,));
    result
}

/// Does `what` in a transaction: it must hold no statement that commits, as those that define do.
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
        // Where the session is lost, the server does it.
        let _ = conn.query_drop("ROLLBACK");
    }
    result
}
