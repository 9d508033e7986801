//! The lock of a publish: its exclusive lock on the target, its lock timeouts, and its transaction.

use mysql::prelude::Queryable;
use mysql::{Conn, Error as Cause};

use super::catalog::base_tables;
use super::holders::holders;
use crate::error::{Error, Result};
use crate::publish::outcome::Waiting;
use crate::publish::patience;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::lock_names::lock_name;
use crate::server::mysql::sql::qualified;

/// The lock timeout of a rollback, a discard and an undo, in seconds.
const LOCK_TIMEOUT: u32 = 15;

/// The lock timeout of one try of a publish: who comes after a waiting RENAME TABLE waits, too.
const SHORT_TIMEOUT: u32 = 2;

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

/// Tries `publish` again and again while others hold the tables it needs, as long as `waiting` allows: those that it
/// replaces, and those of which it changes rows. The session must hold the lock of [`alone`].
pub(super) fn patiently<T>(
    conn: &mut Conn,
    databases: &Databases,
    (tables, others): (&[&str], &[&str]),
    waiting: Waiting<'_>,
    mut publish: impl FnMut(&mut Conn) -> Result<T>,
) -> Result<T> {
    let all = [tables, others].concat();
    patience::patiently(
        conn,
        waiting,
        is_about_locks,
        |conn| holders(conn, databases, &all),
        |conn| {
            // To undo a try, the session waits longer.
            conn.query_drop(format!(
                "SET SESSION lock_wait_timeout = {SHORT_TIMEOUT}, innodb_lock_wait_timeout = {SHORT_TIMEOUT}"
            ))
            .map_err(failure("prepare the session"))?;
            // What is tried first costs nothing if it fails.
            try_locks(conn, databases, tables)?;
            publish(conn)
        },
    )
}

/// Takes the locks of a publish for a moment. Without the right to do so, the moves themselves wait.
fn try_locks(conn: &mut Conn, databases: &Databases, tables: &[&str]) -> Result<()> {
    let mut names = base_tables(conn, &databases.live)?;
    names.retain(|name| tables.contains(&name.as_str()));
    if names.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = names
        .iter()
        .map(|name| format!("{} WRITE", qualified(&databases.live, name)))
        .collect();
    let locked = conn.query_drop(format!("LOCK TABLES {}", list.join(", ")));
    match locked {
        Err(Cause::MySqlError(error)) if !OF_LOCKS.contains(&error.code) => return Ok(()),
        locked => locked.map_err(failure("lock the live tables"))?,
    }
    conn.query_drop("UNLOCK TABLES")
        .map_err(failure("lock the live tables"))
}

/// A lock of another session's, for too long, or in another order (MySQL Server Error Message Reference).
const OF_LOCKS: [u16; 2] = [1205, 1213];

/// Whether the cause of `error` is a lock of somebody else's.
fn is_about_locks(error: &Error) -> bool {
    let cause = std::error::Error::source(error);
    let cause = cause.and_then(|cause| cause.downcast_ref::<Cause>());
    matches!(cause, Some(Cause::MySqlError(error)) if OF_LOCKS.contains(&error.code))
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
