//! `ci-import fresh`: an empty builds directory for who does not move CI's data.

use std::path::Path;

use super::locked_for_change::confirm;
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::publish::fresh::start_fresh;
use crate::traces::{BuildsDirectory, Owner};

/// Moves what is in the directory `builds` aside, and gives the new one to `owner`, if one is named. Asks first, unless `yes`. Returns where it is then; none if there was
/// nothing.
pub fn run(
    builds: &Path,
    owner: Option<Owner>,
    yes: bool,
    cancellation: &Cancellation,
) -> Result<Option<String>> {
    let mut builds = BuildsDirectory::at(builds)?;
    if let Some(owner) = owner {
        builds = builds.owned_by(owner)?;
    }
    if !builds.is_live() {
        let shown = builds.path().display();
        return Err(Error::usage(format!("{shown} does not exist")).hint(
            "--builds-path names the directory of the build traces: /var/opt/gitlab/gitlab-ci/builds, of an installation from \
             source /home/git/gitlab/builds",
        ));
    }
    let _lock = builds.lock()?;
    if !builds.has_content()? {
        return Ok(None);
    }
    let shown = builds.path().display();
    confirm(
        &format!("move the traces in {shown} aside, and leave an empty directory there"),
        yes,
        cancellation,
    )?;
    cancellation.begin_change()?;
    start_fresh(&builds)
}
