//! The commands that look after publishes: `recover` finishes or undoes one that was cut in two,
//! `rollback` brings back what the last one has replaced, `discard` frees it.

use super::destination::Ready;
use crate::cancellation::Halt;
use crate::cli::settings::Destination;
use crate::error::{Error, Result};
use crate::publish::outcome::{Discarded, Recovered, RolledBack};
use crate::server::Held;
use crate::ui::progress::Progress;
use crate::ui::terminal;

/// A target whose lock is held, and where it is. It is let go of before that.
struct Holding {
    target: Box<dyn Held>,
    ready: Ready,
}

/// Connects and takes the lock; a publish that was cut off is recovered first.
fn hold(destination: &Destination, progress: &Progress) -> Result<(Holding, Recovered)> {
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
fn hold_recovered(destination: &Destination, progress: &Progress) -> Result<Holding> {
    let (held, recovered) = hold(destination, progress)?;
    if let Some(told) = recovered.told() {
        terminal::say(&format!("ci-import: {told}"));
    }
    Ok(held)
}

/// Brings `destination` to the state before the import or after it, whichever its database has, and
/// removes what is left of the import.
pub fn recover(destination: &Destination, progress: &Progress) -> Result<Recovered> {
    let (mut held, recovered) = hold(destination, progress)?;
    match &held.ready.builds {
        Some(builds) => builds.remove_stale()?,
        None if held.target.has_record() => {}
        None => {
            return Err(Error::usage("no builds directory is named").hint("add --builds-path"));
        }
    }
    // What is made here is dropped at the end, with what was there before.
    held.target.make_staging()?;
    Ok(recovered)
}

/// Undoes the last import; without `yes` it asks.
pub fn rollback(
    destination: &Destination,
    yes: bool,
    progress: &Progress,
    halt: &Halt,
) -> Result<RolledBack> {
    let mut held = hold_recovered(destination, progress)?;
    if let Some((restored, aside)) = held.target.previous_import()? {
        let restored = match restored.as_slice() {
            [] => "leave no tables in their place".to_owned(),
            restored => format!("bring back {}", restored.join(", ")),
        };
        let question = format!(
            "Put {} of {} aside, with the build traces, and {restored}?",
            aside.join(", "),
            held.ready.shown()
        );
        confirm(&question, yes, halt)?;
    }
    held.target.rollback(held.ready.builds.as_ref())
}

/// Frees what the last import has replaced; without `yes` it asks.
pub fn discard(
    destination: &Destination,
    yes: bool,
    progress: &Progress,
    halt: &Halt,
) -> Result<Discarded> {
    let mut held = hold_recovered(destination, progress)?;
    let builds = held.ready.builds.as_ref();
    let Some(directories) = held.target.previous_directories(builds)? else {
        return Ok(Discarded::default());
    };
    let previous = held.target.previous();
    let mut what = format!("the schema {previous} of {}", held.ready.shown());
    for directory in directories {
        what += &format!(", the directory {}", directory.display());
    }
    confirm(&format!("Remove {what}, for good?"), yes, halt)?;
    held.target.discard(builds)
}

fn confirm(question: &str, yes: bool, halt: &Halt) -> Result<()> {
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
