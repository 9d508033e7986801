//! Checks that the file system has room for the traces: the sizes in their headers must fit into the space that was
//! free at the start.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::StatVfs;

use crate::archive::shown;
use crate::error::{Error, Result};

/// The free space of a directory, and how much of it is used by the traces so far.
#[derive(Debug)]
pub(super) struct Room {
    directory: PathBuf,
    bytes: Amount,
    files: Amount,
}

/// Bytes or files: how many were free, if the file system says so, and how many are needed.
#[derive(Debug)]
struct Amount {
    free: Option<u64>,
    wanted: u64,
}

impl Room {
    /// The free space now in the file system of the open directory `root`, whose path is `directory`.
    pub(super) fn of(root: impl AsFd, directory: &Path) -> Room {
        // If the file system does not answer, the import goes on; a full disk is still an error later.
        let said = rustix::fs::fstatvfs(root).ok();
        let amount = |free| Amount { free, wanted: 0 };
        Room {
            directory: directory.to_owned(),
            bytes: amount(said.as_ref().and_then(free_bytes_of)),
            files: amount(said.as_ref().and_then(free_files_of)),
        }
    }

    /// Unlimited room; the file system is not asked.
    pub(super) fn unknown(directory: &Path) -> Room {
        let amount = || Amount {
            free: None,
            wanted: 0,
        };
        Room {
            directory: directory.to_owned(),
            bytes: amount(),
            files: amount(),
        }
    }

    /// Counts a file or directory of `bytes`, called `path`, that is still to be written.
    pub(super) fn announce(&mut self, path: &Path, bytes: u64) -> Result<()> {
        let exceeded = self
            .bytes
            .add(bytes)
            .map(|(wanted, free)| format!("{wanted} bytes, and {free} are free"));
        let exceeded = exceeded.or_else(|| {
            let (wanted, free) = self.files.add(1)?;
            Some(format!("{wanted} files, and {free} can be created"))
        });
        let Some(exceeded) = exceeded else {
            return Ok(());
        };
        let directory = self.directory.display();
        Err(Error::failed(format!(
            "not enough space for the traces in {directory}: up to {}, they are {exceeded}",
            shown(path)
        ))
        .hint("free some space and run it again, or name a --builds-path with more space"))
    }
}

/// How many bytes are free in the file system of `path`, if it says so.
#[must_use]
pub fn free_bytes(path: &Path) -> Option<u64> {
    rustix::fs::statvfs(path)
        .ok()
        .as_ref()
        .and_then(free_bytes_of)
}

/// How many bytes are free in the file system of an open directory, if it says so.
pub(super) fn free_bytes_at(directory: impl AsFd) -> Option<u64> {
    rustix::fs::fstatvfs(directory)
        .ok()
        .as_ref()
        .and_then(free_bytes_of)
}

/// A part of the free space is reserved for root.
fn free_bytes_of(said: &StatVfs) -> Option<u64> {
    let is_root = rustix::process::geteuid().is_root();
    let blocks = if is_root { said.f_bfree } else { said.f_bavail };
    (said.f_blocks > 0).then(|| blocks.saturating_mul(said.f_frsize))
}

fn free_files_of(said: &StatVfs) -> Option<u64> {
    let is_root = rustix::process::geteuid().is_root();
    let files = if is_root { said.f_ffree } else { said.f_favail };
    (said.f_files > 0).then_some(files)
}

impl Amount {
    /// Adds `more` to what is needed. If that is too much, returns the needed and the free amount.
    fn add(&mut self, more: u64) -> Option<(u64, u64)> {
        self.wanted = self.wanted.saturating_add(more);
        let free = self.free?;
        (self.wanted > free).then_some((self.wanted, free))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(bytes: Option<u64>, files: Option<u64>) -> Room {
        let amount = |free| Amount { free, wanted: 0 };
        Room {
            directory: PathBuf::from("/b"),
            bytes: amount(bytes),
            files: amount(files),
        }
    }

    #[test]
    fn more_than_fits_is_refused_by_its_header() {
        let mut room = room(Some(100), Some(3));
        room.announce(Path::new("a"), 60).unwrap();
        room.announce(Path::new("b"), 40).unwrap();
        let error = room.announce(Path::new("c\n"), u64::MAX).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "not enough space for the traces in /b: up to \"c\\n\", they are {} bytes, and 100 are free",
                u64::MAX
            )
        );
        assert!(error.hint_text().is_some());
    }

    #[test]
    fn files_are_counted_too() {
        let mut room = room(None, Some(2));
        room.announce(Path::new("a"), u64::MAX).unwrap();
        room.announce(Path::new("b"), u64::MAX).unwrap();
        let error = room.announce(Path::new("c"), 0).unwrap_err().to_string();
        assert!(error.ends_with("up to \"c\", they are 3 files, and 2 can be created"));
    }

    #[test]
    fn a_file_system_that_says_nothing_has_room() {
        let mut room = Room::unknown(Path::new("/b"));
        room.announce(Path::new("a"), u64::MAX).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let open = std::fs::File::open(directory.path()).unwrap();
        let mut room = Room::of(&open, directory.path());
        room.announce(Path::new("a"), 1).unwrap();
    }
}
