//! Carries out the plan of a publish or a rollback: all of it, or nothing.

use std::time::Duration;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::lock::in_transaction;
use super::moves::{self, Move};
use super::names::RECORD;
use super::record::{self, State, Written};
use super::recover::{Undo, complete, find_and_settle, identity};
use super::steps::Steps;
use super::{catalog, passing};
use crate::cancellation::stop;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::publish::journal::Journal;
use crate::publish::outcome::Recovered;
use crate::publish::record::Record;
use crate::publish::renames::Renames;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::options::ConnectionOptions;
use crate::traces::BuildsDirectory;

/// The plan of a publish or a rollback.
pub(super) struct Plan<'a> {
    pub(super) record: Record,
    /// Whether to keep the record, in place of the previous one. If not, there is nothing to restore, unless
    /// the steps keep rows.
    pub(super) keeps: bool,
    /// The moves of live tables, aside.
    pub(super) aside: Vec<Move>,
    /// The moves of the new tables, to the live database.
    pub(super) coming: Vec<Move>,
    /// The renames, and the builds directory that they belong to.
    pub(super) renames: Option<(&'a BuildsDirectory, Renames)>,
}

/// Carries out `plan` with `steps`, in a session that holds the lock of `lock::alone`. `last` can still stop the
/// publish, just before the commit. A lost session is replaced.
pub(super) fn carry_out<S: Steps>(
    target: &ConnectionOptions,
    conn: &mut Conn,
    databases: &Databases,
    plan: Plan<'_>,
    (steps, undo): (&mut S, Undo<'_>),
    last: &mut dyn FnMut() -> Result<()>,
) -> Result<S::Done> {
    let builds = plan.renames.as_ref().map(|(builds, _)| *builds);
    let mut finished = None;
    let done = attempt(conn, databases, plan, steps, last, &mut finished)
        .and_then(|journal| complete(conn, databases, journal));
    let failed = match done {
        Ok(()) => None,
        Err(error) => settle(target, conn, databases, builds, undo, error)?,
    };
    match (failed, finished) {
        (None, Some(finished)) => Ok(finished),
        (failed, _) => Err(failed.unwrap_or_else(|| Error::failed("the publish did nothing"))),
    }
}

/// Runs all steps up to the commit. Returns the journal, if there are directories.
fn attempt<S: Steps>(
    conn: &mut Conn,
    databases: &Databases,
    plan: Plan<'_>,
    steps: &mut S,
    last: &mut dyn FnMut() -> Result<()>,
    finished: &mut Option<S::Done>,
) -> Result<Option<Journal>> {
    let id = record::new_id(conn)?;
    catalog::make_database(conn, &databases.previous)?;
    passing::make(conn, databases, &id)?;
    steps.prepare(conn, databases)?;
    failpoint::reached("steps prepared");
    // A rollback needs the record to find the rows that are kept.
    let keeps = plan.keeps || passing::keeps_rows(conn, databases)?;
    let mut all = Vec::new();
    if keeps {
        all.extend(passing::moves_of_before(conn, databases)?);
    }
    all.extend(plan.aside);
    if keeps {
        // The record moves between the old and the new tables. So its place shows whether the swap was done.
        all.extend(passing::moves_of_record(conn, databases)?);
    }
    all.extend(plan.coming);
    refuse_missing(conn, databases, &all)?;
    let written = Written {
        id,
        state: State::Begun,
        record: plan.record,
        moves: all,
    };
    // Live tables are moved before the commit. A signal still has the moves undone.
    stop::changing();
    record::begin(conn, databases, &written)?;
    let mut journal = None;
    if let Some((builds, renames)) = plan.renames {
        let identity = identity(databases);
        journal = Some(Journal::write(
            builds,
            renames,
            written.id,
            (identity, None),
        )?);
    }
    in_transaction(conn, |conn| steps.before(conn, databases))?;
    failpoint::reached("CI disabled");
    moves::make(conn, &written.moves)?;
    failpoint::reached("new tables in place");
    if let Some(journal) = &journal {
        journal.rename()?;
    }
    let kept_in = if keeps {
        &databases.previous
    } else {
        &databases.passing
    };
    in_transaction(conn, |conn| {
        *finished = Some(steps.finish(conn, databases)?);
        failpoint::reached("steps done");
        record::set_published(conn, kept_in)?;
        last()?;
        failpoint::reached("to be committed");
        Ok(())
    })?;
    failpoint::reached("committed");
    Ok(journal)
}

/// An error if a table is not in the place that it is to be moved from.
fn refuse_missing(conn: &mut Conn, databases: &Databases, moves: &[Move]) -> Result<()> {
    let mut is_there = moves::present(conn, databases)?;
    for one in moves {
        if !is_there.remove(&one.from) && one.from.1 != RECORD {
            let (database, table) = &one.from;
            return Err(Error::failed(format!(
                "the table {database}.{table} does not exist any more"
            )));
        }
        is_there.insert(one.to.clone());
    }
    Ok(())
}

/// After `error`: brings the target to the state that its record demands. Returns the error, unless the
/// publish was committed.
fn settle(
    target: &ConnectionOptions,
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&BuildsDirectory>,
    undo: Undo<'_>,
    error: Error,
) -> Result<Option<Error>> {
    if !revive(target, conn) {
        let message = format!("the connection was lost during the publish: {error}");
        return Err(Error::new(Kind::CutPublish, message)
            .hint("run ci-import recover as soon as the target is reachable again"));
    }
    match find_and_settle(conn, databases, builds, undo) {
        Ok(Recovered::Finished) => Ok(None),
        Ok(Recovered::Undone | Recovered::Nothing) => Ok(Some(error)),
        Err(again) => Err(Error::new(
            Kind::CutPublish,
            format!("{error}; undoing it failed, too: {again}"),
        )
        .hint("fix this problem, then run ci-import recover")),
    }
}

/// Checks that the session works, or opens another. Retries, because a server may need a moment.
fn revive(target: &ConnectionOptions, conn: &mut Conn) -> bool {
    for _ in 0..20 {
        if conn.ping().is_ok() && conn.query_drop("ROLLBACK").is_ok() {
            return true;
        }
        match target.connect() {
            Ok(fresh) => *conn = fresh,
            Err(_) => std::thread::sleep(Duration::from_millis(250)),
        }
    }
    false
}
