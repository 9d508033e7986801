//! The place of a directory that is replaced as a whole, with all that lies beside it while it is replaced.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, Stat, fstat, fsync, mkdirat, openat, renameat,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid, geteuid};

use super::mounts::is_mounted;
use super::tree::{self, names, open_directory};
use super::walk::{Steerers, Way};
use super::worker::Worker;
use crate::error::{Doing, Error, Result};
use crate::failpoint;

/// What the names of our own files begin with in a directory whose contents are replaced.
const OURS: &[u8] = b".ci_import_";

/// The group of nobody, in place of root's.
const NO_GROUP: u32 = 65_534;

/// Where a directory is, or will be. All that is done there goes by one open directory, with the rights of whoever
/// could have led us elsewhere.
#[derive(Debug)]
pub(crate) struct Place {
    /// The parent; of a mount point, the mount point itself.
    directory: OwnedFd,
    /// The name in the parent; none for a mount point.
    name: Option<OsString>,
    path: PathBuf,
    worker: Worker,
}

impl Place {
    /// The place of the directory at `path`, which need not exist; its parent must.
    pub(crate) fn at(path: &Path) -> Result<Place> {
        let doing = || format!("cannot use {} as builds directory", path.display());
        let found = match Way::to(path) {
            Ok(way) => Place::existing(way),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Place::missing(path),
            Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => {
                Err(Error::usage("it is not a directory"))
            }
            Err(cause) => Err(denied(cause, path)),
        };
        found.map_err(|error| error.at(doing()))
    }

    fn existing(mut way: Way) -> Result<Place> {
        let path = way.path();
        let itself = fstat(way.end()).map_err(|cause| denied(cause.into(), &path))?;
        let is_mount = is_mounted(&path);
        let inner = way.open().map_err(|cause| denied(cause, &path));
        let inside = way.steerers();
        let Some(name) = way.leave() else {
            return Err(Error::usage("it is the root directory"));
        };
        let above = fstat(way.end()).map_err(|cause| denied(cause.into(), &path))?;
        if is_mount || above.st_dev != itself.st_dev {
            // A mount point cannot be renamed, but what is in it can.
            let steerers = inside.map_err(|cause| denied(cause, &path))?;
            return Ok(Place {
                directory: inner?,
                name: None,
                worker: worker(steerers, &path, Some(&itself))?,
                path,
            });
        }
        Place::beside(&way, name, Some(&itself))
    }

    fn missing(path: &Path) -> Result<Place> {
        if path.is_symlink() {
            return Err(Error::usage("the target of the link does not exist"));
        }
        let absolute = std::path::absolute(path).doing("find it")?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(Error::usage("it has no name"));
        };
        let way = Way::to(parent).map_err(|cause| {
            Error::usage(format!("{}: {cause}", parent.display()))
                .caused_by(cause)
                .hint("its parent directory must exist")
                .hint_if_denied(|| rights_hint(parent))
        })?;
        Place::beside(&way, name.to_owned(), None)
    }

    fn beside(way: &Way, name: OsString, itself: Option<&Stat>) -> Result<Place> {
        let parent = way.path();
        let steerers = way.steerers().map_err(|cause| denied(cause, &parent))?;
        let path = parent.join(&name);
        Ok(Place {
            directory: way.open().map_err(|cause| denied(cause, &parent))?,
            worker: worker(steerers, &path, itself)?,
            path,
            name: Some(name),
        })
    }

    /// The path of the directory, without links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a mount point: then its contents are replaced, not the directory.
    pub(crate) fn is_mount_point(&self) -> bool {
        self.name.is_none()
    }

    /// The name of the directory, none for a mount point.
    pub(crate) fn name(&self) -> Option<&OsStr> {
        self.name.as_deref()
    }

    /// With whose rights files are changed.
    pub(crate) fn worker(&self) -> Worker {
        self.worker
    }

    /// The name of something beside the directory, or hidden in a mount point: `builds` and `suffix`.
    pub(crate) fn beside_named(&self, suffix: &str) -> OsString {
        let mut name = self.name.clone().unwrap_or_default();
        name.push(suffix);
        name
    }

    /// The path of what is called `name` beside the directory, for messages.
    pub(crate) fn shown(&self, name: &OsStr) -> PathBuf {
        match self.name {
            Some(_) => self.path.with_file_name(name),
            None => self.path.join(name),
        }
    }

    /// Whether something in a directory, called `name`, is ours and none of its contents.
    pub(crate) fn is_ours(&self, name: &OsStr) -> bool {
        self.is_mount_point() && name.as_bytes().starts_with(OURS)
    }

    /// The open directory in which everything is done.
    pub(crate) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Does `work` with the rights of the worker.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> rustix::io::Result<T>) -> io::Result<T> {
        Ok(self.worker.run(work)??)
    }

    /// What is called `name`, but not what a link names; none if nothing is.
    pub(crate) fn look(&self, name: &OsStr) -> io::Result<Option<Stat>> {
        match statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Whether there is a directory called `name`.
    pub(crate) fn has_directory(&self, name: &OsStr) -> bool {
        let found = self.look(name).ok().flatten();
        found.is_some_and(|found| FileType::from_raw_mode(found.st_mode).is_dir())
    }

    /// Whether something is called `name`.
    pub(crate) fn has(&self, name: &OsStr) -> bool {
        !matches!(self.look(name), Ok(None))
    }

    /// The live directory, open; none if it does not exist.
    pub(crate) fn live(&self) -> io::Result<Option<OwnedFd>> {
        let opened = match &self.name {
            Some(name) => open_directory(self.directory(), name),
            None => open_directory(self.directory(), c"."),
        };
        match opened {
            Ok(opened) => Ok(Some(opened)),
            Err(Errno::NOENT) => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Whether the live directory exists.
    pub(crate) fn is_live(&self) -> bool {
        self.name
            .as_ref()
            .is_none_or(|name| self.has_directory(name))
    }

    /// The names in the live directory, sorted.
    pub(crate) fn contents(&self) -> io::Result<Vec<OsString>> {
        self.live()?
            .map_or(Ok(Vec::new()), |live| self.contents_of(live))
    }

    /// The names in an open directory that are not ours, sorted.
    pub(crate) fn contents_of(&self, directory: impl AsFd) -> io::Result<Vec<OsString>> {
        let mut names = names(directory, |name| !self.is_ours(name))?;
        names.sort_unstable();
        Ok(names)
    }

    /// The names beside the directory that begin with its own and `suffix`, and that the worker or root owns.
    pub(crate) fn beside_beginning(&self, suffix: &str) -> io::Result<Vec<OsString>> {
        let prefix = self.beside_named(suffix);
        let is_beside = |name: &OsStr| name.as_bytes().starts_with(prefix.as_bytes());
        let found = names(&self.directory, is_beside)?;
        let mut trusted = Vec::new();
        for name in found {
            if self
                .look(&name)?
                .is_some_and(|found| self.is_trusted(&found))
            {
                trusted.push(name);
            }
        }
        Ok(trusted)
    }

    /// Whether root or the worker has made something. What somebody else has put here says nothing to us.
    pub(crate) fn is_trusted(&self, found: &Stat) -> bool {
        found.st_uid == 0 || found.st_uid == self.worker.user().as_raw()
    }

    /// Makes a directory and opens it. Only its owner may use it.
    pub(crate) fn make_directory(&self, name: &OsStr) -> io::Result<OwnedFd> {
        self.run(|| {
            mkdirat(&self.directory, name, Mode::RWXU)?;
            failpoint::reached("directory made");
            let made = open_directory(self.directory(), name)?;
            // Somebody else may have put another in its place meanwhile.
            if fstat(&made)?.st_uid != geteuid().as_raw() {
                return Err(Errno::PERM);
            }
            Ok(made)
        })
    }

    /// Opens the directory called `name`, but not through a link.
    pub(crate) fn open_directory(&self, name: &OsStr) -> io::Result<OwnedFd> {
        self.run(|| open_directory(self.directory(), name))
    }

    /// Renames `from` to `to`.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> Result<()> {
        self.run(|| renameat(&self.directory, from, &self.directory, to))
            .doing(format!(
                "rename {} to {}",
                self.shown(from).display(),
                self.shown(to).display()
            ))
    }

    /// Exchanges the names of two directories in one step. False if the file system cannot.
    pub(crate) fn exchange(&self, one: &OsStr, other: &OsStr) -> Result<bool> {
        let flags = RenameFlags::EXCHANGE;
        let done = self.run(|| renameat_with(&self.directory, one, &self.directory, other, flags));
        match done {
            Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => Ok(false),
            Err(cause) if cause.kind() == io::ErrorKind::Unsupported => Ok(false),
            done => {
                let (one, other) = (self.shown(one), self.shown(other));
                done.doing(format!(
                    "exchange {} and {}",
                    one.display(),
                    other.display()
                ))?;
                Ok(true)
            }
        }
    }

    /// Makes a file that does not exist yet, for its owner alone.
    pub(crate) fn make_file(&self, name: &OsStr) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(self
            .run(|| openat(&self.directory, name, flags, mode))?
            .into())
    }

    /// Opens a file of ours; with `make` it is made if it does not exist. None if it does not exist.
    ///
    /// An error if somebody else has put it there, or could have changed it, or if it is no regular file: it would not
    /// say what we wrote, or it would never end.
    pub(crate) fn open_own(&self, name: &OsStr, make: bool) -> io::Result<Option<File>> {
        let mut flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        flags |= if make {
            OFlags::RDWR | OFlags::CREATE
        } else {
            OFlags::RDONLY
        };
        let mode = Mode::RUSR | Mode::WUSR;
        let file = match self.run(|| openat(&self.directory, name, flags, mode)) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) if is_no_file(&cause) => return Err(not_ours("it is not a regular file")),
            Err(cause) => return Err(cause),
        };
        let found = fstat(&file)?;
        if !FileType::from_raw_mode(found.st_mode).is_file() {
            return Err(not_ours("it is not a regular file"));
        }
        let mode = Mode::from_raw_mode(found.st_mode);
        if !self.is_trusted(&found) {
            let owner = found.st_uid;
            return Err(not_ours(&format!(
                "it belongs to the user {owner}, who is neither root nor you"
            )));
        }
        if mode.intersects(Mode::WGRP | Mode::WOTH) || found.st_nlink > 1 {
            return Err(not_ours("others may write to it"));
        }
        Ok(Some(file.into()))
    }

    /// Reads a file of ours of at most `most` bytes; none if it does not exist. See [`Place::open_own`].
    pub(crate) fn read_own(&self, name: &OsStr, most: u64) -> io::Result<Option<(File, Vec<u8>)>> {
        let Some(file) = self.open_own(name, false)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        (&file).take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(not_ours("it is too long"));
        }
        Ok(Some((file, bytes)))
    }

    /// Removes the file called `name`.
    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        self.run(|| unlinkat(&self.directory, name, AtFlags::empty()))
    }

    /// Removes the empty directory called `name`.
    pub(crate) fn remove_empty(&self, name: &OsStr) -> io::Result<()> {
        self.run(|| unlinkat(&self.directory, name, AtFlags::REMOVEDIR))
    }

    /// Removes the directory called `name`, with all that is in it.
    pub(crate) fn remove_tree(&self, name: &OsStr) -> Result<()> {
        let removed = self
            .worker
            .run(|| tree::remove_tree(self.directory(), name));
        removed
            .and_then(|removed| removed)
            .doing(format!("remove {}", self.shown(name).display()))
    }

    /// Has the names in the directory written to the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(fsync(&self.directory)?)
    }

    /// Checks that directories can be made here.
    pub(crate) fn check_writable(&self) -> Result<()> {
        let name = self.beside_named(&format!(".ci_import_check.{}", std::process::id()));
        let parent = self.shown(OsStr::new(""));
        self.make_directory(&name)
            .and_then(|_| self.remove_empty(&name))
            .doing(format!("write into {}", parent.display()))
            .map_err(|error| error.hint_if_denied(|| self.rights_hint(&parent)))
    }

    /// What to do if the worker may not read or change `directory`.
    pub(crate) fn rights_hint(&self, directory: &Path) -> String {
        match self.worker {
            Worker::Owner(user, _) => format!(
                "files are changed with the rights of the user {user}, who owns a directory on the way to {}: give \
                 {} to that user, or the directories above to root",
                self.path.display(),
                directory.display()
            ),
            Worker::Oneself => rights_hint(directory),
        }
    }
}

/// With whose rights root changes files at `path`, if `steerers` could have led the way elsewhere. `itself` is the
/// directory that is replaced.
fn worker(steerers: Steerers, path: &Path, itself: Option<&Stat>) -> Result<Worker> {
    if !geteuid().is_root() {
        return Ok(Worker::Oneself);
    }
    if let Some(open) = steerers.open {
        let shown = open.display();
        return Err(
            Error::usage(format!("everybody may rename what is in {shown}"))
                .hint(format!("sudo chmod o-w {shown}")),
        );
    }
    let mut owners = steerers.owners;
    owners.remove(&0);
    let mut others = owners.into_iter();
    let (user, group) = match (others.next(), others.next()) {
        (None, _) => return Ok(Worker::Oneself),
        (Some(owner), None) => owner,
        (Some((one, _)), Some((another, _))) => {
            return Err(Error::usage(format!(
                "the directories on the way to it belong to different users ({one} and {another})"
            ))
            .hint("give them to root or to GitLab's user, or run ci-import as GitLab's user: sudo -u git"));
        }
    };
    let mut groups = [group, group];
    if let Some(itself) = itself {
        if itself.st_uid != user {
            return Err(Error::usage(format!(
                "it belongs to the user {}, and the directory above it to the user {user}, who cannot give files away",
                itself.st_uid
            ))
            .hint(format!("give it to the user {user} before: sudo chown {user} {}", path.display())));
        }
        groups[1] = itself.st_gid;
    }
    let groups = groups.map(|group| Gid::from_raw(if group == 0 { NO_GROUP } else { group }));
    Ok(Worker::Owner(Uid::from_raw(user), groups))
}

/// Whether the cause is that something else than a file or directory is opened, or a link.
fn is_no_file(cause: &io::Error) -> bool {
    let raw = cause.raw_os_error();
    [Errno::LOOP, Errno::NXIO, Errno::ISDIR]
        .iter()
        .any(|one| raw == Some(one.raw_os_error()))
}

fn not_ours(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn denied(cause: io::Error, path: &Path) -> Error {
    Error::usage(cause.to_string())
        .caused_by(cause)
        .hint_if_denied(|| rights_hint(path))
}

/// What to do if the user may not read or change `directory`.
fn rights_hint(directory: &Path) -> String {
    let shown = directory.display();
    format!(
        "run ci-import as root or as GitLab's user (sudo -u git), who must be allowed to read the traces and to rename \
         their directory; to give {shown} to that user: sudo chown git {shown}"
    )
}
