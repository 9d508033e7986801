//! The directories that a publish or a rollback renames.

use std::time::{SystemTime, UNIX_EPOCH};

use super::aside::aside_name;
use super::record::{BuildsRecord, Record};
use super::renames::Renames;
use crate::error::{Error, Result};
use crate::traces::{Builds, BuildsDirectory, StagedDirectory, StagedTraces};

/// The renames beside a builds directory, and their record.
#[derive(Default)]
pub(crate) struct DirectoryPlan<'a> {
    /// Part of the record of the publish or rollback.
    pub(crate) record: Option<BuildsRecord>,
    /// The renames, and the builds directory that they belong to.
    pub(crate) renames: Option<(&'a BuildsDirectory, Renames)>,
}

impl DirectoryPlan<'_> {
    /// The future place of the live directory, if there is one.
    pub(crate) fn previous(&self) -> Option<String> {
        let (builds, renames) = self.renames.as_ref()?;
        let previous = renames.previous.as_ref()?;
        Some(builds.place().shown(previous).display().to_string())
    }

    /// The directory that will be live, if there is one.
    pub(crate) fn live(&self) -> Option<String> {
        let (builds, renames) = self.renames.as_ref()?;
        let path = builds.path().display();
        renames.staged.as_ref().map(|_| path.to_string())
    }
}

/// The renames of a publish of these traces. Those in an object storage need none.
pub(crate) fn plan_publish<'a>(builds: Option<(&'a Builds, &StagedTraces)>) -> DirectoryPlan<'a> {
    match builds {
        Some((Builds::Directory(builds), StagedTraces::Directory(staged))) => {
            plan_exchange(builds, staged)
        }
        _ => DirectoryPlan::default(),
    }
}

/// The renames that put `staged` in the place of `builds`.
pub(crate) fn plan_exchange<'a>(
    builds: &'a BuildsDirectory,
    staged: &StagedDirectory,
) -> DirectoryPlan<'a> {
    let epoch = builds.place().is_live().then(|| free_epoch(builds));
    let record = BuildsRecord {
        path: builds.path().to_string_lossy().into_owned(),
        previous: epoch,
    };
    let renames = Renames {
        staged: Some(staged.name().to_owned()),
        previous: epoch.map(|epoch| aside_name(builds, epoch)),
    };
    DirectoryPlan {
        record: Some(record),
        renames: Some((builds, renames)),
    }
}

/// The renames of a rollback that undoes the publish of `record`.
pub(crate) fn plan_rollback<'a>(
    record: &Record,
    builds: Option<&'a BuildsDirectory>,
) -> Result<DirectoryPlan<'a>> {
    let (Some(builds), Some(was)) = (builds, &record.builds) else {
        return Ok(DirectoryPlan::default());
    };
    let place = builds.place();
    let staged = was.previous.map(|epoch| aside_name(builds, epoch));
    if let Some(missing) = staged
        .as_ref()
        .filter(|staged| !place.has_directory(staged))
    {
        return Err(Error::failed(format!(
            "the old builds directory {} does not exist any more",
            place.shown(missing).display()
        ))
        .hint("restore it, or create an empty directory with this name"));
    }
    let epoch = place.is_live().then(|| free_epoch(builds));
    let becomes = BuildsRecord {
        path: was.path.clone(),
        previous: epoch,
    };
    let renames = Renames {
        staged,
        previous: epoch.map(|epoch| aside_name(builds, epoch)),
    };
    Ok(DirectoryPlan {
        record: Some(becomes),
        renames: Some((builds, renames)),
    })
}

/// The current epoch, or a later one at which nothing was replaced.
fn free_epoch(builds: &BuildsDirectory) -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let is_free = |epoch: &u64| !builds.place().has(&aside_name(builds, *epoch));
    (now..u64::MAX).find(is_free).unwrap_or(now)
}
