//! The archives below a prefix of an object storage: the one that is sent there, and older ones that may go.

use std::io::Read;
use std::time::Duration;

use super::folder::{is_older, name_of};
use crate::error::{Doing, Result};
use crate::storage::{self, ObjectUrl, Upload, Writing};

/// An archive that is to be sent. It is there when all of it is.
pub(super) struct NewObject {
    upload: Upload,
    url: ObjectUrl,
}

impl NewObject {
    /// A new object below `prefix` for the archive made at `time`. It is an error now if it cannot be written.
    pub(super) fn begin(prefix: &ObjectUrl, time: u64, writing: &Writing) -> Result<NewObject> {
        let url = prefix.below(&name_of(time));
        let upload = Upload::begin(&url, writing)?;
        Ok(NewObject { upload, url })
    }

    /// Sends the whole `archive`. Returns where it is.
    pub(super) fn keep(mut self, mut archive: impl Read) -> Result<ObjectUrl> {
        std::io::copy(&mut archive, &mut self.upload).doing("send the archive")?;
        self.upload.keep()?;
        Ok(self.url)
    }
}

/// Removes the archives below `prefix` that were made more than `seconds` before `time`. Returns their names.
pub(super) fn remove_older(
    prefix: &ObjectUrl,
    time: u64,
    seconds: u64,
    timeout: Duration,
) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for found in storage::list(prefix, timeout)? {
        if is_older(&found.name, time, seconds) {
            storage::remove(&found.url, timeout)?;
            removed.push(found.name);
        }
    }
    removed.sort();
    Ok(removed)
}
