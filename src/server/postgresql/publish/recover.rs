//! Completes or undoes an interrupted publish.

use postgres::Client;

use super::identity::identity;
use super::identity::status_of;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::publish::journal::Journal;
use crate::publish::outcome::Recovered;
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
    let id = &journal.transaction;
    let status = id.parse().ok().and_then(|id| status_of(target, id));
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

/// Whether there is an interrupted publish of `builds`.
pub fn is_cut(builds: &BuildsDirectory) -> Result<bool> {
    Ok(Journal::find(builds)?.is_some())
}
