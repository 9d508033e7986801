//! The shared parts of the commands that follow up a publish: a locked target, and a question.

use super::destination::PreparedTarget;
use crate::cancellation::Cancellation;
use crate::cli::settings::Destination;
use crate::error::{Error, Result};
use crate::publish::outcome::Recovered;
use crate::server::LockedTarget;
use crate::traces::{Builds, BuildsLock};
use crate::ui::progress::Progress;
use crate::ui::terminal;

/// A locked target, and its destination. The lock is dropped before the destination.
pub(super) struct LockedForChange {
    pub(super) target: Box<dyn LockedTarget>,
    pub(super) ready: PreparedTarget,
    #[expect(dead_code, reason = "it is released when it is dropped")]
    builds: Option<BuildsLock>,
}

/// Connects and takes the lock, and recovers an interrupted publish.
pub(super) fn lock_for_change(
    destination: &Destination,
    progress: &Progress,
) -> Result<(LockedForChange, Recovered)> {
    let has_builds = match destination {
        Destination::Named { builds, .. } => builds.is_some(),
        Destination::Private { .. } => true,
    };
    let ready = PreparedTarget::existing(destination, has_builds, progress)?;
    let mut target = ready.target.lock()?;
    let builds = ready.builds.as_ref();
    let builds = builds.map(Builds::lock).transpose()?.flatten();
    let recovered = target.recover(ready.directory())?;
    let held = LockedForChange {
        target,
        ready,
        builds,
    };
    Ok((held, recovered))
}

/// Like [`lock_for_change`], for commands whose own result is not the recovery.
pub(super) fn lock_recovered(
    destination: &Destination,
    progress: &Progress,
) -> Result<LockedForChange> {
    let (held, recovered) = lock_for_change(destination, progress)?;
    if let Some(told) = recovered.told() {
        terminal::say(&format!("ci-import: {told}"));
    }
    Ok(held)
}

/// Asks whether to do `what`, unless `yes`.
pub(super) fn confirm(what: &str, yes: bool, cancellation: &Cancellation) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !terminal::can_ask() {
        return Err(Error::usage(format!(
            "not done without a confirmation, which needs a terminal: {what}"
        ))
        .hint("without a terminal, add --yes"));
    }
    if terminal::ask(&[&format!("Do you want to {what}?")], cancellation) {
        return Ok(());
    }
    cancellation.check()?;
    Err(Error::failed("not confirmed; nothing was changed"))
}
