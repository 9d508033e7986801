//! Brings the complete archive to where it goes.

use std::fs::{self, File};
use std::io::{Seek, Write};

use super::folder::{self, NewArchive};
use super::object::{self, NewObject};
use super::settings::{BackupSettings, To};
use crate::cancellation::Cancellation;
use crate::error::codes::Code;
use crate::error::{Doing, Result};
use crate::output::Place;
use crate::ui::progress::Progress;
use crate::ui::terminal;

/// See the module.
pub(super) struct Delivery<'a> {
    settings: &'a BackupSettings,
    /// When the archive was made, in seconds since 1970.
    time: u64,
    /// What it becomes in an object storage.
    object: Option<NewObject>,
}

impl Delivery<'_> {
    /// Prepares it: nobody wants to learn after an hour that a storage does not take the archive.
    pub(super) fn begin(settings: &BackupSettings, time: u64) -> Result<Delivery<'_>> {
        let object = match &settings.to {
            To::Prefix(prefix, writing) => Some(NewObject::begin(prefix, time, writing)?),
            To::Folder(_) | To::Stdout => None,
        };
        Ok(Delivery {
            settings,
            time,
            object,
        })
    }

    /// Brings the `archive`, which is in `file`, to its place, and removes those that are too old there. Returns the place,
    /// if it has one, and the names of those.
    pub(super) fn deliver(
        self,
        archive: NewArchive,
        mut file: &File,
        progress: &Progress,
        cancellation: &Cancellation,
    ) -> Result<(Option<Place>, Vec<String>)> {
        let place = match (&self.settings.to, self.object) {
            (To::Folder(_), _) => {
                let path = archive.keep(file)?;
                Some(Place::File(fs::canonicalize(&path).unwrap_or(path)))
            }
            (To::Prefix(..), Some(object)) => {
                file.rewind().doing("read the archive")?;
                let bytes = file.metadata().doing("read the archive")?.len();
                let meter = progress.member("sending the archive", bytes, "");
                let url =
                    cancellation.guard(|| object.keep(cancellation.watch(meter.watch(file))))?;
                meter.complete();
                Some(Place::Object(url))
            }
            (To::Prefix(..) | To::Stdout, _) => {
                to_stdout(file)?;
                None
            }
        };
        let removed = match (&self.settings.to, self.settings.keep_time) {
            (To::Folder(folder), Some(seconds)) => folder::remove_older(folder, self.time, seconds),
            (To::Prefix(prefix, writing), Some(seconds)) => {
                object::remove_older(prefix, self.time, seconds, writing.timeout)
            }
            _ => Ok(Vec::new()),
        };
        // The archive is complete all the same.
        let removed = removed.unwrap_or_else(|error| {
            terminal::warn(
                Code::OlderArchivesRemain,
                &format!("older archives remain: {error}"),
            );
            Vec::new()
        });
        Ok((place, removed))
    }
}

/// Writes the archive to standard output.
fn to_stdout(file: &File) -> Result<()> {
    let mut file = file.try_clone().doing("read the archive")?;
    file.rewind().doing("read the archive")?;
    let mut out = std::io::stdout().lock();
    std::io::copy(&mut file, &mut out)
        .and_then(|_| out.flush())
        .doing("write the archive to standard output")
}
