//! An empty builds directory in the place of one with old traces, for a GitLab that does not take them over.

use super::directories::plan_exchange;
use super::renames::{Renames, Swap};
use crate::error::Result;
use crate::failpoint;
use crate::traces::BuildsDirectory;

/// Puts an empty directory with the same owner and mode in the place of `builds`, which exists. Returns where the old one
/// is; none if it is empty. Needs the lock.
pub fn start_fresh(builds: &BuildsDirectory) -> Result<Option<String>> {
    if !builds.has_content()? {
        return Ok(None);
    }
    let mut staged = builds.stage()?;
    staged.finish()?;
    let plan = plan_exchange(builds, &staged);
    let previous = plan.previous();
    if let Some((_, renames)) = plan.renames {
        failpoint::reached("empty directory made");
        put_in_place(builds, renames)?;
        staged.published();
    }
    Ok(previous)
}

/// Makes the renames: in one step, if the file system can exchange two directories. Whenever that is cut off, there is a
/// builds directory, and at most an empty one beside it.
fn put_in_place(builds: &BuildsDirectory, renames: Renames) -> Result<()> {
    let place = builds.place();
    if let (Some(live), Some(staged), Some(previous)) =
        (place.name(), &renames.staged, &renames.previous)
    {
        place.rename(staged, previous)?;
        failpoint::reached("empty directory beside");
        if place.exchange(live, previous)? {
            return Ok(());
        }
        place.rename(previous, staged)?;
    }
    Swap::plan(place, renames)?.make(place)
}
