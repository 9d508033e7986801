//! The transaction of a publish, and the locks it takes on the live tables.

use postgres::error::SqlState;
use postgres::{Client, Transaction};

use super::examine::holders;
use super::part::Part;
use super::relations::relations;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::publish::outcome::Waiting;
use crate::publish::patience;
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;

/// Those of `tables` that are live.
pub(super) fn live(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<String>> {
    let mut names = relations(transaction, schema, "r")?;
    names.retain(|name| tables.contains(&name.as_str()));
    Ok(names)
}

/// Locks those of `tables` that are live, and returns their names.
pub(super) fn lock_live(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<String>> {
    let names = live(transaction, schema, tables)?;
    if !names.is_empty() {
        let list: Vec<String> = names.iter().map(|name| qualified(schema, name)).collect();
        let sql = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", list.join(", "));
        transaction.batch_execute(&sql).map_err(|cause| {
            failure("lock the live tables")(cause)
                .hint("somebody holds them; stop GitLab and its jobs, then run it again")
        })?;
    }
    Ok(names)
}

/// The lock timeout of a publish for the live tables, in which everybody else waits, too.
const LOCK_TIMEOUT: &str = "2s";

/// Tries `publish` again and again while others hold the tables it needs, as long as `waiting` allows: those that it
/// replaces, and the `others` of which it changes rows.
pub(super) fn patiently<T>(
    client: &mut Client,
    parts: &[Part<'_>],
    others: &[&str],
    waiting: Waiting<'_>,
    mut publish: impl FnMut(&mut Client) -> Result<T>,
) -> Result<T> {
    patience::patiently(
        client,
        waiting,
        is_about_locks,
        |client| {
            let mut all = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                // The others are in the first schema.
                let others = if at == 0 { others } else { &[] };
                let tables = [&part.tables, others].concat();
                all.extend(holders(client, part.schemas.live, &tables)?);
            }
            Ok(all)
        },
        // What is tried first costs nothing if it fails.
        |client| try_locks(client, parts).and_then(|()| publish(client)),
    )
}

/// Takes the locks of a publish for a moment.
fn try_locks(client: &mut Client, parts: &[Part<'_>]) -> Result<()> {
    let mut transaction = begin(client)?;
    for part in parts {
        lock_live(&mut transaction, part.schemas.live, &part.tables)?;
    }
    transaction
        .rollback()
        .map_err(failure("lock the live tables"))
}

/// Whether the cause of `error` is a lock of somebody else's, for too long or in another order.
fn is_about_locks(error: &Error) -> bool {
    let cause = std::error::Error::source(error);
    let cause = cause.and_then(|cause| cause.downcast_ref::<postgres::Error>());
    let Some(said) = cause.and_then(postgres::Error::as_db_error) else {
        return false;
    };
    let codes = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    codes.contains(said.code()) || said.message().starts_with(OF_A_WORKER)
}

/// What Citus says if a worker has refused something, whatever that was: it tells the cause, such as the lock of somebody else's on
/// that worker, as a warning alone. A publish can be tried again after each of them.
const OF_A_WORKER: &str = "failure on connection marked as essential";

/// Has Citus tell its workers how long to wait, on which it locks the parts of distributed tables (its manual, "Configuration
/// Reference").
const LOCKS_OF_WORKERS: &str = "SELECT set_config(name, 'local', true) FROM pg_settings
    WHERE name = 'citus.propagate_set_commands'";

/// Begins the transaction of a publish.
pub(super) fn begin(client: &mut Client) -> Result<Transaction<'_>> {
    let mut transaction = client.transaction().map_err(failure("begin to publish"))?;
    transaction
        .batch_execute(&format!(
            "{LOCKS_OF_WORKERS}; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL synchronous_commit = on"
        ))
        .map_err(failure("begin to publish"))?;
    failpoint::reached("transaction begun");
    Ok(transaction)
}
