//! `ci-import rollback`: restores what the last publish has replaced.

use super::locked_for_change::{confirm, lock_recovered};
use crate::cancellation::Cancellation;
use crate::cli::settings::Destination;
use crate::error::Result;
use crate::publish::outcome::RolledBack;
use crate::ui::progress::Progress;

/// Undoes the last import. Asks first, unless `yes`.
pub fn run(
    destination: &Destination,
    yes: bool,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<RolledBack> {
    let mut held = lock_recovered(destination, progress)?;
    if let Some((restored, aside)) = held.target.previous_import()? {
        let restored = match restored.as_slice() {
            [] => "leave no tables in their place".to_owned(),
            restored => format!("restore {}", restored.join(", ")),
        };
        let what = format!(
            "move {} of {} aside, with the build traces, and {restored}",
            aside.join(", "),
            held.ready.shown()
        );
        confirm(&what, yes, cancellation)?;
    }
    cancellation.begin_change()?;
    held.target.rollback(held.ready.builds.as_ref())
}
