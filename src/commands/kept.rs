//! What an import has kept for a second try: how the other commands treat it.

use crate::error::Result;
use crate::error::codes::Code;
use crate::publish::kept::Kept;
use crate::server::LockedTarget;
use crate::traces::{Builds, canonical};
use crate::ui::terminal;

/// The hint of a publish that others have kept from the live tables.
pub(super) const HOW_TO_PUBLISH: &str = "stop GitLab and its jobs; then ci-import publish, with the options that name the \
    target and where its traces go, makes it live; the next import drops it";

/// Drops what is kept, if anything is, with its traces beside or below `builds`. Returns its record.
pub(super) fn drop_kept(
    target: &mut dyn LockedTarget,
    builds: Option<&Builds>,
) -> Result<Option<Kept>> {
    let Some(kept) = target.kept()? else {
        return Ok(None);
    };
    if let Some(traces) = &kept.traces {
        // Whatever the record of what is kept says: what is live, or may be again, is not removed.
        let known = target.known_prefixes()?;
        let url = traces.place.url();
        let is_known = url.is_some_and(|url| known.contains(&canonical(url)));
        let builds = builds.filter(|_| !is_known);
        let removed = builds.map(|builds| traces.place.remove(builds));
        if !removed.transpose()?.unwrap_or(false) {
            let place = match url {
                Some(url) => format!("in {url}"),
                None => format!("beside {}", traces.place.builds()),
            };
            let why = if is_known {
                "they are live, or can be again"
            } else {
                "--builds-path does not name their place"
            };
            terminal::warn(
                Code::TracesRemain,
                &format!("the traces that are kept {place} are not removed: {why}"),
            );
        }
    }
    // The staging that is created here is empty, and is dropped at the end if it is not filled.
    target.make_staging()?;
    Ok(Some(kept))
}
