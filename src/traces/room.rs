//! Checks that the file system has room for the traces: the blocks that they take, by the sizes in their headers, must fit
//! into the space that was free at the start.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::StatVfs;

use crate::archive::shown;
use crate::error::{Error, Result};

/// A file takes whole blocks. Where they are smaller, what describes the file takes the rest.
const LEAST_BLOCK_BYTES: u64 = 4096;

/// A part of the free space that stays free: for the entries of directories, and for whoever else writes.
const RESERVED_PART: u64 = 64;

/// So many directories are known by name. If there are more, one that comes again is counted again.
const MAX_KNOWN: usize = 200_000;

/// The free space of a directory, and how much of it is used by the traces so far.
#[derive(Debug)]
pub(super) struct Room {
    directory: PathBuf,
    block: u64,
    bytes: Amount,
    files: Amount,
    /// The hashes of the directories that are counted.
    known: HashSet<u64>,
    hasher: RandomState,
    /// The path that was counted last; its parents exist.
    last: PathBuf,
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
        let usable = |free: u64| free - free / RESERVED_PART;
        let block = said.as_ref().map_or(0, |said| said.f_frsize);
        let bytes = said.as_ref().and_then(free_bytes_of).map(usable);
        let files = said.as_ref().and_then(free_files_of).map(usable);
        Room::with(directory, block, bytes, files)
    }

    /// Unlimited room; the file system is not asked.
    pub(super) fn unknown(directory: &Path) -> Room {
        Room::with(directory, 0, None, None)
    }

    fn with(directory: &Path, block: u64, bytes: Option<u64>, files: Option<u64>) -> Room {
        let amount = |free| Amount { free, wanted: 0 };
        Room {
            directory: directory.to_owned(),
            block: block.max(LEAST_BLOCK_BYTES),
            bytes: amount(bytes),
            files: amount(files),
            known: HashSet::new(),
            hasher: RandomState::new(),
            last: PathBuf::new(),
        }
    }

    /// Counts a file of `bytes`, called `path`, that is still to be written, and the directories that it needs.
    pub(super) fn announce(&mut self, path: &Path, bytes: u64) -> Result<()> {
        let parent = path.parent().unwrap_or(Path::new(""));
        self.announce_directory(parent)?;
        self.count(path, bytes)
    }

    /// Counts the directory `path` and its parents, as far as they are not counted yet.
    pub(super) fn announce_directory(&mut self, path: &Path) -> Result<()> {
        if self.last == path {
            return Ok(());
        }
        let last = std::mem::take(&mut self.last);
        let is_new = |path: &&Path| !last.starts_with(path);
        for directory in path.ancestors().take_while(is_new) {
            let hash = self.hasher.hash_one(directory);
            if self.known.contains(&hash) {
                // So are its parents.
                break;
            }
            if self.known.len() < MAX_KNOWN {
                self.known.insert(hash);
            }
            self.count(directory, 0)?;
        }
        path.clone_into(&mut self.last);
        Ok(())
    }

    /// Counts the blocks of a file or directory.
    fn count(&mut self, path: &Path, bytes: u64) -> Result<()> {
        let whole = bytes.max(1).checked_next_multiple_of(self.block);
        let exceeded = self
            .bytes
            .add(whole.unwrap_or(bytes))
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
        Room::with(Path::new("/b"), 512, bytes, files)
    }

    #[test]
    fn more_than_fits_is_refused_by_its_header() {
        let mut room = room(Some(4 * 4096), Some(4));
        room.announce(Path::new("a"), 4097).unwrap();
        room.announce(Path::new("b"), 0).unwrap();
        room.announce(Path::new("c"), 4096).unwrap();
        let error = room.announce(Path::new("d\n"), u64::MAX).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "not enough space for the traces in /b: up to \"d\\n\", they are {} bytes, and 16384 are free",
                u64::MAX
            )
        );
        assert!(error.hint_text().is_some());
    }

    #[test]
    fn each_directory_counts_once() {
        let mut room = room(Some(u64::MAX), Some(u64::MAX));
        room.announce_directory(Path::new("a")).unwrap();
        for path in ["a/b/c/1", "a/b/2", "x/y/3", "a/b/c/4", "5"] {
            room.announce(Path::new(path), 1).unwrap();
        }
        room.announce_directory(Path::new("x/y")).unwrap();
        room.announce_directory(Path::new("")).unwrap();
        assert_eq!(room.files.wanted, 5 + 5);
        assert_eq!(room.bytes.wanted, 10 * 4096);
    }

    #[test]
    fn files_are_counted_too() {
        let mut room = room(None, Some(3));
        room.announce(Path::new("a"), u64::MAX).unwrap();
        let error = room
            .announce(Path::new("b/c/d"), 0)
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("up to \"b/c/d\", they are 4 files, and 3 can be created"));
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
