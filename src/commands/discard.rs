//! `ci-import discard`: removes what the last publish has replaced.

use super::locked_for_change::{confirm, lock_recovered};
use crate::cancellation::Cancellation;
use crate::cli::settings::Destination;
use crate::error::Result;
use crate::publish::outcome::Discarded;
use crate::ui::progress::Progress;

/// Removes what the last import has replaced. Asks first, unless `yes`.
pub fn run(
    destination: &Destination,
    yes: bool,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Discarded> {
    let mut held = lock_recovered(destination, progress)?;
    let builds = held.ready.builds.as_ref();
    let Some(directories) = held.target.previous_directories(builds)? else {
        return Ok(Discarded::default());
    };
    let previous = held.target.previous();
    let mut what = format!("the schema {previous} of {}", held.ready.shown());
    for directory in directories {
        what += &format!(", the directory {}", directory.display());
    }
    confirm(&format!("remove {what} permanently"), yes, cancellation)?;
    cancellation.begin_change()?;
    held.target.discard(builds)
}
