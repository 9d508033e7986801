//! `ci-import recover`: finishes or undoes a publish that was cut off.

use super::lock::lock_for_change;
use crate::cli::settings::Destination;
use crate::error::{Error, Result};
use crate::publish::outcome::Recovered;
use crate::ui::progress::Progress;

/// Brings `destination` to the state before the import or after it, whichever its database has, and
/// removes what is left of the import.
pub fn run(destination: &Destination, progress: &Progress) -> Result<Recovered> {
    let (mut held, recovered) = lock_for_change(destination, progress)?;
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
