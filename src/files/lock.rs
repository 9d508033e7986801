//! The lock of a place: a file beside the directory, which one process at a time has.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use super::locked::LockedFile;
use super::place::Place;
use crate::error::{Doing, Error, Result};

/// The suffix of the lock's name.
const SUFFIX: &str = ".ci_import_lock";

/// Whoever holds it may change what lies at a place. The kernel releases it when the process ends.
#[derive(Debug)]
pub(crate) struct PlaceLock {
    place: Arc<Place>,
    _file: LockedFile,
}

impl PlaceLock {
    /// Takes the lock of `place`; an error if another process has it.
    pub(crate) fn take(place: &Arc<Place>) -> Result<PlaceLock> {
        let name = place.beside_named(SUFFIX);
        let shown = place.shown(&name);
        let doing = || format!("lock {}", shown.display());
        loop {
            let opened = place.open_own(&name, true).doing(doing());
            let parent = shown.parent().unwrap_or(&shown);
            let opened = opened.map_err(|error| error.hint_if_denied(|| place.rights_hint(parent)));
            let Some(file) = opened? else {
                return Err(Error::failed(format!("cannot {}: it vanished", doing())));
            };
            let Some(file) = LockedFile::exclusive(file) else {
                return Err(held(place));
            };
            // Its last holder may have removed it between the two.
            if is_at(place, &name, file.file()).doing(doing())? {
                return Ok(PlaceLock {
                    place: Arc::clone(place),
                    _file: file,
                });
            }
        }
    }

    /// An error if another process has the lock of `place`.
    pub(crate) fn check(place: &Place) -> Result<()> {
        let name = place.beside_named(SUFFIX);
        let file = place
            .open_own(&name, false)
            .doing(format!("look at {}", place.shown(&name).display()))?;
        match file.map(LockedFile::shared) {
            Some(None) => Err(held(place)),
            _ => Ok(()),
        }
    }
}

impl Drop for PlaceLock {
    fn drop(&mut self) {
        // Without it, the next one makes another; with it, he takes it.
        let _ = self.place.remove_file(&self.place.beside_named(SUFFIX));
    }
}

fn is_at(place: &Place, name: &std::ffi::OsStr, file: &File) -> io::Result<bool> {
    let ours = file.metadata()?;
    let found = place.look(name)?;
    Ok(found.is_some_and(|found| found.st_ino == ours.ino() && found.st_dev == ours.dev()))
}

fn held(place: &Place) -> Error {
    Error::target(format!(
        "another import into the builds directory {} is running",
        place.path().display()
    ))
    .hint("wait until it has ended; two databases cannot share a builds directory")
}
