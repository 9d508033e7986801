//! Completes or undoes an interrupted publish.

use postgres::Client;

use super::identity::{identity, status_of, timeline};
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::publish::aside::aside_name;
use crate::publish::journal::Journal;
use crate::publish::outcome::Recovered;
use crate::publish::record::Record;
use crate::server::postgresql::options::ConnectionOptions;
use crate::traces::BuildsDirectory;

/// Looks for an interrupted publish of `builds`, and brings the directories to the state of the database. The
/// session must hold the lock of the import.
pub fn recover(
    target: &ConnectionOptions,
    client: &mut Client,
    builds: &BuildsDirectory,
) -> Result<Recovered> {
    Journal::remove_unfinished(builds)?;
    let Some(journal) = Journal::find(builds)? else {
        return Ok(Recovered::Nothing);
    };
    let cut = |message: String| Error::new(Kind::CutPublish, message);
    if journal.database != identity(client)? {
        return Err(cut(format!(
            "a publish of {} into another database was interrupted",
            builds.path().display()
        ))
        .hint("run ci-import recover with that database"));
    }
    failpoint::reached("journal found");
    if has_taken_over(client, &journal) {
        return after_takeover(client, builds, journal);
    }
    let id = &journal.transaction;
    let status = id
        .parse()
        .ok()
        .and_then(|id| status_of(target, id, journal.timeline.as_deref()));
    match status.as_deref() {
        Some("committed") => journal.complete().map(|()| Recovered::Finished),
        Some("aborted") => journal.undo().map(|()| Recovered::Undone),
        status => {
            let status = status.unwrap_or("unknown");
            Err(cut(format!(
                "a publish was interrupted, and the target says of its transaction {id}: {status}"
            ))
            .hint("check the tables and the directories, then remove the journal"))
        }
    }
}

/// Whether a standby has taken over since the publish was interrupted.
fn has_taken_over(client: &mut Client, journal: &Journal) -> bool {
    let (then, now) = (journal.timeline.as_ref(), timeline(client));
    then.zip(now.as_ref())
        .is_some_and(|(then, now)| then != now)
}

/// Brings the directories to the state of a server that may have got the publish, or not. Its record says so: it names the
/// directory that was live before.
fn after_takeover(
    client: &mut Client,
    builds: &BuildsDirectory,
    journal: Journal,
) -> Result<Recovered> {
    let record = Record::read(client)?.and_then(|record| record.builds);
    let path = builds.path().to_string_lossy();
    let record = record.filter(|record| record.path == path);
    let Some(previous) = journal.previous() else {
        return Err(Error::new(
            Kind::CutPublish,
            "a publish was interrupted, and another server has taken over since, which may have got it or not",
        )
        .hint("check the tables and the directories, then remove the journal"));
    };
    let recorded = record.and_then(|record| record.previous);
    let has_arrived = recorded.is_some_and(|epoch| aside_name(builds, epoch) == previous);
    if has_arrived {
        journal.complete().map(|()| Recovered::Finished)
    } else {
        journal.undo().map(|()| Recovered::Undone)
    }
}

/// Whether there is an interrupted publish of `builds`.
pub fn is_cut(builds: &BuildsDirectory) -> Result<bool> {
    Ok(Journal::find(builds)?.is_some())
}
