//! `ci-import recover`: completes or undoes an interrupted publish.

use super::locked_for_change::lock_for_change;
use crate::cli::settings::Destination;
use crate::error::{Error, Result};
use crate::publish::outcome::Recovered;
use crate::traces::Builds;
use crate::ui::progress::Progress;
use crate::ui::terminal;

/// Brings `destination` to the state before or after the import, as its database decides, and removes the
/// rest of the import.
pub fn run(destination: &Destination, progress: &Progress) -> Result<Recovered> {
    let (mut held, recovered) = lock_for_change(destination, progress)?;
    match &held.ready.builds {
        Some(Builds::Directory(builds)) => builds.remove_stale()?,
        Some(Builds::Prefix(prefix)) => {
            let mut known = held.target.known_prefixes()?;
            let kept = held.target.kept()?.and_then(|kept| kept.traces);
            known.extend(kept.and_then(|traces| traces.place.url().cloned()));
            prefix.tell_unknown(&known);
        }
        None if held.target.has_record() => {}
        None => {
            return Err(Error::usage("no builds directory is named").hint("add --builds-path"));
        }
    }
    match held.target.kept()? {
        Some(kept) => terminal::say(&format!(
            "ci-import: {} is kept: ci-import publish makes it live, ci-import discard removes it",
            kept.told()
        )),
        // The staging created here is dropped at the end, together with an earlier one.
        None => held.target.make_staging()?,
    }
    Ok(recovered)
}
