//! Completes or undoes an interrupted publish.

use mysql::Conn;

use super::lock::{alone, in_transaction};
use super::record::{self, State, Written};
use super::{catalog, kept, moves, passing};
use crate::error::codes::Code;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::publish::journal::Journal;
use crate::publish::outcome::Recovered;
use crate::server::mysql::databases::Databases;
use crate::traces::BuildsDirectory;
use crate::ui::terminal;

/// Undoes [`Steps::before`](super::steps::Steps::before), by the rows that it has kept in the database
/// `passing`. Changes nothing if there is nothing to undo, so that it can be repeated.
pub type Undo<'a> = &'a dyn Fn(&mut Conn, &Databases) -> Result<()>;

/// Looks for an interrupted publish, and completes or undoes it for tables and directories, as its record
/// says. Every command must call it first.
pub fn recover(
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&BuildsDirectory>,
    undo: Undo<'_>,
) -> Result<Recovered> {
    let written = record::find(conn, databases)?;
    let begun = written.filter(|written| written.state == State::Begun);
    let prefix = begun.and_then(|begun| begun.record.prefixes.of_publish());
    let recovered = find_and_settle(conn, databases, builds, undo)?;
    if let (Recovered::Undone, Some(url)) = (recovered, prefix) {
        let kept = kept::read(conn, databases)?.and_then(|kept| kept.traces);
        if kept.is_none_or(|traces| traces.place.url() != Some(&url)) {
            let what = format!(
                "the publish that was undone has left its traces in {url}: remove all objects below it"
            );
            terminal::warn(Code::TracesRemain, &what);
        }
    }
    Ok(recovered)
}

/// Whether there is an interrupted publish, or one that is running.
pub fn is_cut(
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&BuildsDirectory>,
) -> Result<bool> {
    let has_journal = builds.map(Journal::find).transpose()?.flatten().is_some();
    Ok(has_journal || passing::publish_of(conn, databases)?.is_some())
}

/// The target that a journal belongs to, besides the number of its publish. Differs from the identity of
/// every PostgreSQL.
pub(super) fn identity(databases: &Databases) -> String {
    format!("mysql/{}", databases.live)
}

/// See [`recover`].
pub(super) fn find_and_settle(
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&BuildsDirectory>,
    undo: Undo<'_>,
) -> Result<Recovered> {
    alone(conn, databases, |conn| {
        if let Some(builds) = builds {
            Journal::remove_unfinished(builds)?;
        }
        let journal = builds.map(Journal::find).transpose()?.flatten();
        let written = record::find(conn, databases)?;
        if let Some(journal) = &journal {
            check_identity(journal, databases, written.as_ref())?;
            failpoint::reached("journal found");
        }
        match written {
            Some(written) if written.state == State::Begun => {
                take_back(conn, databases, builds, journal, &written, undo)?;
                Ok(Recovered::Undone)
            }
            written => {
                let id = written.map(|written| written.id);
                let left_by = passing::publish_of(conn, databases)?;
                let is_cut = journal.is_some() || (left_by.is_some() && left_by == id);
                if !is_cut {
                    tidy_up(conn, databases)?;
                    return Ok(Recovered::Nothing);
                }
                complete(conn, databases, journal).map_err(|error| {
                    let message = format!("the import is live, but its cleanup failed: {error}");
                    Error::new(Kind::CutPublish, message)
                        .hint("fix this problem, then run ci-import recover")
                })?;
                Ok(Recovered::Finished)
            }
        }
    })
}

/// Refuses the journal of a publish that is not the recorded one.
fn check_identity(
    journal: &Journal,
    databases: &Databases,
    written: Option<&Written>,
) -> Result<()> {
    let is_this = journal.database == identity(databases)
        && written.is_some_and(|written| written.id == journal.transaction);
    if is_this {
        return Ok(());
    }
    let message = format!(
        "a publish of {} into another database was interrupted",
        journal.live().display()
    );
    Err(Error::new(Kind::CutPublish, message).hint("run ci-import recover with that database"))
}

/// Completes the steps after the commit.
pub(super) fn complete(
    conn: &mut Conn,
    databases: &Databases,
    journal: Option<Journal>,
) -> Result<()> {
    // The journal may be removed only when the commit is on the disk. Dropping a table after the commit
    // ensures that. A server that crashes earlier has the record `begun` again.
    tidy_up(conn, databases)?;
    catalog::drop_if_empty(conn, &databases.staging)?;
    journal.map_or(Ok(()), Journal::complete)
}

/// Removes the databases that are no longer needed.
fn tidy_up(conn: &mut Conn, databases: &Databases) -> Result<()> {
    if catalog::exists(conn, &databases.passing)? {
        passing::clean(conn, databases)?;
    }
    catalog::drop_if_empty(conn, &databases.previous)
}

/// Undoes a publish that was not committed.
fn take_back(
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&BuildsDirectory>,
    journal: Option<Journal>,
    written: &Written,
    undo: Undo<'_>,
) -> Result<()> {
    let cut = |message: String| Error::new(Kind::CutPublish, message);
    if let Err(error) = written.record.builds(builds) {
        let error = cut(format!("a publish was interrupted: {error}"));
        return Err(error.hint("run ci-import recover with that builds directory"));
    }
    let present = moves::present(conn, databases)?;
    let Some(done) = moves::done(&written.moves, &present, &databases.staging) else {
        let (live, previous) = (&databases.live, &databases.previous);
        return Err(cut(format!(
            "a publish was interrupted, and its tables are not where it can have moved them: {live}, \
             {previous} and the databases beside them"
        ))
        .hint("the column moves of the table ci_import_record lists the moves; move the tables back"));
    };
    moves::undo(conn, &written.moves[..done])?;
    in_transaction(conn, |conn| undo(conn, databases))?;
    failpoint::reached("rows back");
    journal.map_or(Ok(()), Journal::undo)?;
    tidy_up(conn, databases)
}
