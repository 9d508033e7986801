//! An empty builds directory in the place of one with old traces, for a GitLab that does not take them over.

use std::path::PathBuf;

use super::directories::plan_publish;
use super::renames::Swap;
use crate::error::Result;
use crate::failpoint;
use crate::traces::BuildsDirectory;

/// Puts an empty directory with the same owner and mode in the place of `builds`. Returns where the old one is; none if it
/// is empty. It can be repeated after an interruption. Needs the lock.
pub fn start_fresh(builds: &BuildsDirectory) -> Result<Option<PathBuf>> {
    if builds.is_live() && !builds.has_content()? {
        return Ok(None);
    }
    let mut staged = builds.stage()?;
    staged.finish()?;
    let plan = plan_publish(Some((builds, &staged)));
    let previous = plan.previous();
    let Some((_, renames)) = plan.renames else {
        return Ok(None);
    };
    let swap = Swap::plan(builds.place(), renames)?;
    failpoint::reached("empty directory made");
    swap.make(builds.place())?;
    staged.published();
    Ok(previous)
}
