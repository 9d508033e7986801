//! The end of a publish: renames, then the commit, and how a failure is handled.

use postgres::Transaction;
use postgres::error::Severity;

use super::identity::identity;
use super::identity::{status_of, timeline};
use super::standby::CommitWatch;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::publish::journal::Journal;
use crate::publish::renames::Renames;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::options::ConnectionOptions;
use crate::traces::BuildsDirectory;

/// The number of the transaction. With `is_journaled` it is on the disk afterwards.
pub(super) fn number(
    transaction: &mut Transaction<'_>,
    target: &ConnectionOptions,
    is_journaled: bool,
) -> Result<i64> {
    let row = transaction
        .query_one("SELECT txid_current()", &[])
        .map_err(failure("ask for the transaction's number"))?;
    if is_journaled {
        make_number_durable(target)?;
        failpoint::reached("transaction's number on the disk");
    }
    Ok(row.get(0))
}

/// Renames the directories, if any, and commits: both, or neither. The transaction has the number `id`.
pub(super) fn rename_and_commit(
    mut transaction: Transaction<'_>,
    target: &ConnectionOptions,
    id: i64,
    renames: Option<(&BuildsDirectory, Renames)>,
) -> Result<()> {
    let mut journal = None;
    let history = timeline(&mut transaction);
    let watch = CommitWatch::begin(&mut transaction, target)?;
    if let Some((builds, renames)) = renames {
        let database = identity(&mut transaction)?;
        let found = (database, history.clone());
        let written = Journal::write(builds, renames, id.to_string(), found)?;
        if let Err(error) = written.rename() {
            written.undo()?;
            return Err(error);
        }
        journal = Some(written);
    }
    commit(
        transaction,
        target,
        (id, history.as_deref()),
        journal,
        watch,
    )
}

/// Makes the server write its log to the disk, including the open transaction. Otherwise a server that
/// crashes could reuse the number of the transaction, and recovery would find the status of another
/// transaction.
fn make_number_durable(target: &ConnectionOptions) -> Result<()> {
    // A commit that waits for the disk also waits for everything before it. It needs something to commit. Standbys do not matter.
    let sql = "SET synchronous_commit = local;
               SELECT pg_catalog.pg_logical_emit_message(true, 'ci-import', 'to be published')";
    target
        .connect()?
        .batch_execute(sql)
        .map_err(failure("flush the log of the server"))
}

/// Commits, or undoes the renames. If the connection is lost, the server is asked for the status of the
/// transaction. Without an answer nothing is changed.
fn commit(
    transaction: Transaction<'_>,
    target: &ConnectionOptions,
    (id, history): (i64, Option<&str>),
    journal: Option<Journal>,
    watch: CommitWatch,
) -> Result<()> {
    failpoint::reached("to be committed");
    let committed = transaction.commit();
    watch.end();
    let Err(cause) = committed else {
        failpoint::reached("committed");
        return journal.map_or(Ok(()), Journal::complete);
    };
    let status = if is_refused(&cause) {
        Some("aborted".to_owned())
    } else {
        status_of(target, id, history)
    };
    match status.as_deref() {
        Some("committed") => return journal.map_or(Ok(()), Journal::complete),
        Some("aborted") => {
            journal.map_or(Ok(()), Journal::undo)?;
            return Err(failure("commit the publish")(cause));
        }
        _ => {}
    }
    let message = format!("the connection was lost while the publish was committed: {cause}");
    let error = Error::new(Kind::CutPublish, message).caused_by(cause);
    Err(match journal {
        // The journal stays for the recovery.
        Some(_) => error.hint("run ci-import recover as soon as the target is reachable again"),
        None => error.hint(format!("ask the target: SELECT txid_status({id})")),
    })
}

/// Whether the server has refused the commit. If the server ends the session, or itself, the commit may still
/// be on the disk: a full disk may have had space for exactly that.
fn is_refused(cause: &postgres::Error) -> bool {
    let error = cause.as_db_error();
    error.is_some_and(|error| error.parsed_severity() == Some(Severity::Error))
}
