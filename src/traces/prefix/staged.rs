//! The traces of an import that is not published yet.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::manifest::{MANIFEST, Manifest};
use super::remove_traces;
use crate::cancellation::stop::{self, Removal};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::storage::{ObjectUrl, Objects, Puts, Watched};
use crate::ui::terminal;

/// An object that is written and removed, to see whether one may.
const TRIAL: &str = "trial";

/// If the process is ended by force, as much is removed as can be in this time.
const TIME_TO_END: Duration = Duration::from_secs(3);

/// A prefix with the traces of an import. Its objects are removed if it is dropped without being published.
#[derive(Debug)]
pub struct StagedPrefix {
    objects: Objects,
    /// Until the traces are written.
    manifest: Mutex<Option<Manifest>>,
    removal: Option<Removal>,
    watched: Mutex<Watched>,
    keep: bool,
}

impl StagedPrefix {
    /// Begins it, with its manifest.
    pub(super) fn begin(objects: Objects) -> Result<StagedPrefix> {
        let watched = objects.watched(MANIFEST);
        let at_end = objects.clone();
        let removal = stop::remove_at_end(move || {
            at_end.remove_within(TIME_TO_END, MANIFEST);
            true
        });
        let mut staged = StagedPrefix {
            objects,
            manifest: Mutex::new(None),
            removal: Some(removal),
            watched: Mutex::new(watched),
            // Who may not remove leaves at most an empty object.
            keep: true,
        };
        // These rights are needed at the end, when it is late to learn that they are missing.
        let mut trial = Puts::to(&staged.objects);
        trial.begin(TRIAL, Vec::new())?;
        trial.end()?;
        staged.objects.for_each(&mut |_, _| Ok(()))?;
        staged.objects.remove(TRIAL)?;
        staged.keep = false;
        staged.manifest = Mutex::new(Some(Manifest::begin(&staged.objects)?));
        Ok(staged)
    }

    /// The manifest that was begun.
    pub(super) fn manifest(&self) -> Result<Manifest> {
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = manifest.take();
        begun.ok_or_else(|| Error::failed("the manifest of the traces is written already"))
    }

    /// One that stays if it is not published.
    pub(super) fn of_kept(objects: Objects) -> StagedPrefix {
        StagedPrefix {
            objects,
            manifest: Mutex::new(None),
            removal: None,
            watched: Mutex::default(),
            keep: true,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &ObjectUrl {
        self.objects.prefix()
    }

    /// Its objects.
    pub(in crate::traces) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// From here on, it stays if this process is killed: it may be live then, or kept.
    pub fn leave_if_killed(&self) {
        self.watched().done();
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that it was published or kept, and must not be removed.
    pub fn published(&mut self) {
        self.keep = true;
        self.leave_if_killed();
        self.removal.into_iter().for_each(stop::keep_at_end);
    }
}

impl Drop for StagedPrefix {
    fn drop(&mut self) {
        if self.keep {
            self.watched().done();
        } else {
            // A publish that has failed has ended its watch: now it is known that they are not live.
            self.watched().done();
            *self.watched() = self.objects.watched(MANIFEST);
            failpoint::reached("traces in the storage to be removed");
            drop(self.manifest());
            match remove_traces(&self.objects) {
                Ok(()) => self.watched().done(),
                Err(error) => terminal::warn(
                    Code::StagingRemains,
                    &format!("the traces in {} were not removed: {error}", self.url()),
                ),
            }
        }
        self.removal.into_iter().for_each(stop::keep_at_end);
    }
}
