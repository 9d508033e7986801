//! `ci-import discard`: removes what the last publish has replaced, and what is kept for a second try.

use super::kept::drop_kept;
use super::locked_for_change::{confirm, lock_recovered};
use crate::cancellation::Cancellation;
use crate::cli::settings::Destination;
use crate::error::Result;
use crate::publish::kept::Kept;
use crate::publish::outcome::Discarded;
use crate::ui::progress::Progress;

/// Removes what the last import has replaced, and what another one has kept. Asks first, unless `yes`.
pub fn run(
    destination: &Destination,
    yes: bool,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Discarded> {
    let mut held = lock_recovered(destination, progress)?;
    let builds = held.ready.builds.as_ref();
    let traces = held.target.traces_aside(builds)?;
    let kept = held.target.kept()?;
    let mut what = Vec::new();
    if let Some(traces) = &traces {
        let previous = held.target.previous();
        what.push(format!(
            "the replaced tables in {previous} of {}",
            held.ready.shown()
        ));
        what.extend(traces.iter().map(|place| format!("the traces in {place}")));
    }
    what.extend(kept.as_ref().map(Kept::told));
    if what.is_empty() {
        return Ok(Discarded::default());
    }
    let what = what.join(", ");
    confirm(&format!("remove {what} permanently"), yes, cancellation)?;
    cancellation.begin_change()?;
    let dropped = drop_kept(&mut *held.target, builds)?;
    let mut done = match traces {
        Some(_) => held.target.discard(builds)?,
        None => Discarded::default(),
    };
    done.kept = dropped.map(|kept| kept.told());
    Ok(done)
}
