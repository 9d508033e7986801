//! A writer of traces. It makes the files of some of the directories, below a root that is held open.
//!
//! Every file is opened relative to a handle of its directory and never through a link. So nothing is written outside
//! of the root, even if somebody changes the directories meanwhile.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::Receiver;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::digest::{TraceDigest, TraceHasher};
use crate::archive::{shown, twice};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::files::Owner;

/// An order to a writer. The parts of a file follow each other.
#[derive(Debug)]
pub(super) enum Order {
    /// Make a directory.
    Directory { path: PathBuf, mode: u32 },
    /// Make a file, with the first bytes of its content.
    File {
        path: PathBuf,
        attributes: Attributes,
        start: Vec<u8>,
    },
    /// Append to the file.
    More(Vec<u8>),
    /// The file is complete.
    End,
    /// The rest of the file is missing: remove it.
    Abandon,
}

/// The attributes of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes {
    /// Permissions, already masked.
    pub(super) mode: u32,
    /// Time of the last change, in seconds since 1970.
    pub(super) modified: i64,
}

/// A directory that is open, and the file in it that is being written.
pub(super) struct Writer<'a> {
    root: BorrowedFd<'a>,
    owner: Option<Owner>,
    /// The permissions that nothing gets.
    mask: u32,
    current: Option<(PathBuf, OwnedFd)>,
    file: Option<(PathBuf, OwnedFd, Attributes)>,
    /// What was written so far, if it is hashed, and the hash of the file that is being written.
    hashes: bool,
    digest: TraceDigest,
    hasher: Option<TraceHasher>,
}

impl<'a> Writer<'a> {
    /// `owner` is who gets the files, if not the user of the process; the mask is that of [`umask`].
    pub(super) fn new(
        root: BorrowedFd<'a>,
        (owner, mask): (Option<Owner>, u32),
        hashes: bool,
    ) -> Self {
        Writer {
            root,
            owner,
            mask,
            current: None,
            file: None,
            hashes,
            digest: TraceDigest::default(),
            hasher: None,
        }
    }

    /// Executes orders until the channel is closed. Returns the checksum of the files, if they are hashed.
    pub(super) fn run(&mut self, orders: &Receiver<Order>) -> Result<TraceDigest> {
        for order in orders {
            match order {
                Order::Directory { path, mode } => {
                    let mode = Mode::from_raw_mode(mode & !self.mask | 0o700);
                    let directory = self.open_directory(&path)?;
                    rustix::fs::fchmod(directory, mode).map_err(|cause| failed(&path, cause))?;
                }
                Order::File {
                    path,
                    attributes,
                    start,
                } => self.begin(path, attributes, &start)?,
                Order::More(bytes) => self.append(&bytes)?,
                Order::End => self.end()?,
                Order::Abandon => self.abandon()?,
            }
        }
        Ok(self.digest)
    }

    fn begin(&mut self, path: PathBuf, attributes: Attributes, start: &[u8]) -> Result<()> {
        let parent = path.parent().unwrap_or(Path::new("")).to_owned();
        let directory = self.open_directory(&parent)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let name = path.file_name().unwrap_or(OsStr::new(""));
        let mode = Mode::from_raw_mode(attributes.mode);
        let file =
            rustix::fs::openat(directory, name, flags, mode).map_err(|cause| match cause {
                Errno::EXIST => refused_twice(&path),
                cause => failed(&path, cause),
            })?;
        self.hasher = self.hashes.then(|| TraceHasher::new(&path));
        self.file = Some((path, file, attributes));
        failpoint::reached("trace begun");
        self.append(start)
    }

    fn append(&mut self, mut bytes: &[u8]) -> Result<()> {
        let Some((path, file, _)) = &self.file else {
            return Ok(());
        };
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        while !bytes.is_empty() {
            match rustix::io::write(file, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(cause) => return Err(failed(path, cause)),
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let Some((path, file, attributes)) = self.file.take() else {
            return Ok(());
        };
        if let Some(hasher) = self.hasher.take() {
            self.digest.add(hasher.finish());
        }
        own(file.as_fd(), self.owner).map_err(|cause| failed(&path, cause))?;
        let time = Timespec {
            tv_sec: attributes.modified,
            tv_nsec: 0,
        };
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        rustix::fs::futimens(&file, &times).map_err(|cause| failed(&path, cause))?;
        failpoint::reached("trace written");
        Ok(())
    }

    fn abandon(&mut self) -> Result<()> {
        let Some((path, file, _)) = self.file.take() else {
            return Ok(());
        };
        drop(file);
        let parent = path.parent().unwrap_or(Path::new("")).to_owned();
        let directory = self.open_directory(&parent)?;
        let name = path.file_name().unwrap_or(OsStr::new(""));
        rustix::fs::unlinkat(directory, name, AtFlags::empty())
            .map_err(|cause| failed(&path, cause))
    }

    /// Makes the directory at `path` below the root where it is missing, and opens it.
    fn open_directory(&mut self, path: &Path) -> Result<BorrowedFd<'_>> {
        let is_open = self
            .current
            .as_ref()
            .is_some_and(|(current, _)| current == path);
        if !is_open {
            self.current = None;
            let mut open: Option<OwnedFd> = None;
            for part in path
                .components()
                .filter(|part| matches!(part, Component::Normal(_)))
            {
                let parent = open.as_ref().map_or(self.root, AsFd::as_fd);
                let next = self.step(parent, part.as_os_str());
                open = Some(next.map_err(|cause| match cause {
                    Errno::NOTDIR => refused_twice(path),
                    cause => failed(path, cause),
                })?);
            }
            self.current = open.map(|open| (path.to_owned(), open));
        }
        Ok(self
            .current
            .as_ref()
            .map_or(self.root, |(_, open)| open.as_fd()))
    }

    fn step(&self, parent: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<OwnedFd> {
        // Its own mode comes with its own entry, if the archive has one.
        let made = match rustix::fs::mkdirat(parent, name, Mode::RWXU) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(cause) => return Err(cause),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = rustix::fs::openat(parent, name, flags, Mode::empty())?;
        if made {
            own(open.as_fd(), self.owner)?;
            failpoint::reached("directory of traces made");
        }
        Ok(open)
    }
}

/// The permissions that new files of the process do not get (umask(2)); group and others may not write if that is not
/// known.
pub(super) fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let said = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    let said = said.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok());
    said.unwrap_or(0o022)
}

fn own(file: BorrowedFd<'_>, owner: Option<Owner>) -> rustix::io::Result<()> {
    owner.map_or(Ok(()), |owner| owner.give(file))
}

/// The error for two files, or a file and a directory, of the same name.
fn refused_twice(path: &Path) -> Error {
    twice(&path.to_string_lossy())
}

fn failed(path: &Path, cause: Errno) -> Error {
    let error = Error::failed(format!("cannot write the trace {}: {cause}", shown(path)));
    if cause == Errno::NOSPC {
        error.hint("free some space and run it again")
    } else {
        error
    }
}
