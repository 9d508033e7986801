//! `ci-import recover`: finishes or undoes a publish that was cut in two, and removes what is left of
//! the import.

use crate::error::{Error, Result};
use crate::import::Ready;
use crate::load::Staging;
use crate::progress::Progress;
use crate::publish::{Recovered, recover};
use crate::settings::Destination;

/// Brings `destination` to the state before the import or after it, whichever its database has.
pub fn run(destination: &Destination, progress: &Progress) -> Result<Recovered> {
    let ready = Ready::prepare(destination, true, progress)?;
    let mut staging = Staging::lock(&ready.target)?;
    let builds = ready
        .builds
        .as_ref()
        .ok_or_else(|| Error::usage("no builds directory is named"))?;
    let target = staging.target().clone();
    let recovered = recover(&target, staging.client(), builds)?;
    builds.remove_stale()?;
    // What is made here is dropped at the end, with what was there before.
    staging.make()?;
    Ok(recovered)
}
