//! The lock of a builds directory: databases that share one do not see each other's locks.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};

use super::directory::BuildsDirectory;
use crate::error::{Error, Result};

/// The time that a program which has ended may need to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// A builds directory in use. The kernel ends that with the process.
#[derive(Debug)]
pub struct InUse {
    _lock: File,
}

impl BuildsDirectory {
    /// Keeps other imports, rollbacks and discards away from the directory, of whatever database. What a publish puts in its
    /// place is locked from its beginning. If there is no directory yet, its parent is locked.
    pub fn use_alone(&self) -> Result<InUse> {
        let started = Instant::now();
        loop {
            let parent = self.path().parent().unwrap_or(Path::new("/"));
            let locked = if self.path().exists() {
                self.path()
            } else {
                parent
            };
            let doing = |cause: std::io::Error| {
                Error::failed(format!("cannot lock {}: {cause}", locked.display())).caused_by(cause)
            };
            let lock = OpenOptions::new()
                .read(true)
                .custom_flags((OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed())
                .open(locked)
                .map_err(doing)?;
            let is_free = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
            // Meanwhile another one may have taken its place.
            let is_still = is_same(&lock, locked) && (locked != parent || !self.path().exists());
            if is_free && is_still {
                return Ok(InUse { _lock: lock });
            }
            if started.elapsed() > PATIENCE {
                return Err(Error::failed(format!(
                    "another ci-import uses the builds directory {}, perhaps for another database",
                    self.path().display()
                ))
                .hint("wait until it has ended, then run it again; each database needs a builds directory of its own"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn is_same(file: &File, path: &Path) -> bool {
    let numbers = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let (ours, theirs) = (
        file.metadata().map(numbers),
        fs::metadata(path).map(numbers),
    );
    ours.is_ok() && ours.ok() == theirs.ok()
}
