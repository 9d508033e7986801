//! What the commands that look after publishes have in common: a target that is held, and a question.

use super::destination::Ready;
use crate::cancellation::Halt;
use crate::cli::settings::Destination;
use crate::error::{Error, Result};
use crate::publish::outcome::Recovered;
use crate::server::Held;
use crate::ui::progress::Progress;
use crate::ui::terminal;

/// A target whose lock is held, and where it is. It is let go of before that.
pub(super) struct Holding {
    pub(super) target: Box<dyn Held>,
    pub(super) ready: Ready,
}

/// Connects and takes the lock; a publish that was cut off is recovered first.
pub(super) fn hold(destination: &Destination, progress: &Progress) -> Result<(Holding, Recovered)> {
    let has_builds = match destination {
        Destination::Named { builds, .. } => builds.is_some(),
        Destination::Private { .. } => true,
    };
    let ready = Ready::existing(destination, has_builds, progress)?;
    let mut target = ready.target.hold()?;
    let recovered = target.recover(ready.builds.as_ref())?;
    Ok((Holding { target, ready }, recovered))
}

/// As [`hold`], for commands that are about something else than what is recovered.
pub(super) fn hold_recovered(destination: &Destination, progress: &Progress) -> Result<Holding> {
    let (held, recovered) = hold(destination, progress)?;
    if let Some(told) = recovered.told() {
        terminal::say(&format!("ci-import: {told}"));
    }
    Ok(held)
}

/// Asks `question`; with `yes` the answer is known.
pub(super) fn confirm(question: &str, yes: bool, halt: &Halt) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !terminal::can_ask() {
        return Err(Error::usage("not done: off a terminal, --yes must say so").hint(question));
    }
    if terminal::ask(question, halt) {
        return Ok(());
    }
    halt.check()?;
    Err(Error::failed("not confirmed; nothing was touched"))
}
