//! Finishes or undoes a publish that was cut in two.

use postgres::Client;

use super::identity::identity;
use super::identity::status_of;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::publish::journal::Journal;
use crate::publish::outcome::Recovered;
use crate::server::postgresql::options::Target;
use crate::traces::BuildsDirectory;

/// Looks for a publish of `builds` that was cut, and brings the directories to where the database
/// is. The session must hold the lock of the import.
pub fn recover(
    target: &Target,
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

/// Whether a publish of `builds` was cut off and waits to be recovered.
pub fn is_cut(builds: &BuildsDirectory) -> Result<bool> {
    Ok(Journal::find(builds)?.is_some())
}
