//! What an import has kept for a second try: how the other commands treat it.

use crate::error::Result;
use crate::error::codes::Code;
use crate::publish::kept::Kept;
use crate::server::LockedTarget;
use crate::traces::BuildsDirectory;
use crate::ui::terminal;

/// The hint of a publish that others have kept from the live tables.
pub(super) const HOW_TO_PUBLISH: &str = "stop GitLab and its jobs; then ci-import publish, with the options that name the \
    target and its builds directory, makes it live; the next import drops it";

/// Drops what is kept, if anything is, with its traces beside `builds`. Returns its record.
pub(super) fn drop_kept(
    target: &mut dyn LockedTarget,
    builds: Option<&BuildsDirectory>,
) -> Result<Option<Kept>> {
    let Some(kept) = target.kept()? else {
        return Ok(None);
    };
    if let Some(traces) = &kept.traces {
        match builds.filter(|builds| traces.directory.is_beside(builds)) {
            Some(builds) => traces.directory.remove(builds)?,
            None => terminal::warn(
                Code::TracesRemain,
                &format!(
                    "the traces that are kept beside {} are not removed, since --builds-path does not name it",
                    traces.directory.builds()
                ),
            ),
        }
    }
    // The staging that is created here is empty, and is dropped at the end if it is not filled.
    target.make_staging()?;
    Ok(Some(kept))
}
