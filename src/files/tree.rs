//! Trees of directories, read and removed by descriptors: no link is followed, and nothing is looked up by its path.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat, unlinkat};
use rustix::io::Errno;

use crate::error::{Doing, Result};

/// So deep may a tree be. Each level needs an open file, and traces have two.
const DEEPEST: usize = 200;

/// A file of a tree.
pub(crate) struct Found<'a> {
    parent: BorrowedFd<'a>,
    name: &'a OsStr,
    /// Its path below the root of the tree.
    pub(crate) path: PathBuf,
    /// Whether it is a directory.
    pub(crate) is_directory: bool,
}

impl Found<'_> {
    /// Opens it for reading; none if it is not a regular file. Does not wait for the other end of a pipe.
    pub(crate) fn open(&self) -> io::Result<Option<std::fs::File>> {
        open_regular(self.parent, self.name)
    }

    /// What the system says of it.
    pub(crate) fn stat(&self) -> io::Result<Stat> {
        Ok(statat(self.parent, self.name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.stat()?.st_size).unwrap_or(0))
    }
}

/// Opens the regular file `name` of `parent` for reading; none if it is something else. Does not wait for the other end of
/// a pipe.
pub(crate) fn open_regular(
    parent: BorrowedFd<'_>,
    name: impl rustix::path::Arg,
) -> io::Result<Option<std::fs::File>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(parent, name, flags, Mode::empty()) {
        Ok(file) => file,
        // A link, or a socket.
        Err(Errno::LOOP | Errno::NXIO) => return Ok(None),
        Err(cause) => return Err(cause.into()),
    };
    let is_file = FileType::from_raw_mode(fstat(&file)?.st_mode).is_file();
    Ok(is_file.then(|| file.into()))
}

/// Opens the regular file at `path` below `root`, through no link; none if there is none.
pub(crate) fn open_below(root: BorrowedFd<'_>, path: &Path) -> io::Result<Option<std::fs::File>> {
    let mut open: Option<OwnedFd> = None;
    let parent = path.parent().unwrap_or(Path::new(""));
    let none = |cause: Errno| match cause {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Ok(None),
        cause => Err(io::Error::from(cause)),
    };
    for part in parent.components() {
        let at = open.as_ref().map_or(root, AsFd::as_fd);
        match open_directory(at, part.as_os_str()) {
            Ok(next) => open = Some(next),
            Err(cause) => return none(cause),
        }
    }
    let at = open.as_ref().map_or(root, AsFd::as_fd);
    match open_regular(at, path.file_name().unwrap_or(OsStr::new("."))) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened,
    }
}

/// Opens the directory `name` of `parent`, but not through a link.
pub(super) fn open_directory(
    parent: BorrowedFd<'_>,
    name: impl rustix::path::Arg,
) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// A directory that is being walked through. It is read as it is walked: it may have any number of entries.
struct Level {
    directory: Dir,
    name: CString,
    /// Whether something in it was removed since it was read from its beginning.
    changed: bool,
}

/// An entry of a directory.
struct Entry {
    name: CString,
    is_directory: bool,
}

impl Level {
    fn open(parent: BorrowedFd<'_>, name: CString) -> io::Result<Level> {
        let directory = Dir::new(open_directory(parent, name.as_c_str())?)?;
        Ok(Level {
            directory,
            name,
            changed: false,
        })
    }

    /// The open directory.
    fn handle(&self) -> io::Result<BorrowedFd<'_>> {
        Ok(self.directory.fd()?)
    }

    /// The next entry that is neither "." nor "..".
    fn next(&mut self) -> io::Result<Option<Entry>> {
        while let Some(entry) = self.directory.next().transpose()? {
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => {
                    let found = statat(self.handle()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
                    FileType::from_raw_mode(found.st_mode)
                }
                kind => kind,
            };
            return Ok(Some(Entry {
                name: name.to_owned(),
                is_directory: kind.is_dir(),
            }));
        }
        Ok(None)
    }
}

/// Opens the directory `name` in the last of `levels`, and adds it to them.
fn descend(levels: &mut Vec<Level>, name: CString) -> io::Result<()> {
    if levels.len() >= DEEPEST {
        return Err(io::Error::other(format!(
            "it has directories more than {DEEPEST} levels deep"
        )));
    }
    if let Some(level) = levels.last() {
        let deeper = Level::open(level.handle()?, name)?;
        levels.push(deeper);
    }
    Ok(())
}

/// The names in an open directory that are wanted, without "." and "..".
pub(super) fn names(
    directory: impl AsFd,
    is_wanted: impl Fn(&OsStr) -> bool,
) -> io::Result<Vec<OsString>> {
    let mut level = Level::open(directory.as_fd(), c".".to_owned())?;
    let mut names = Vec::new();
    while let Some(entry) = level.next()? {
        let name = OsString::from_vec(entry.name.into_bytes());
        if is_wanted(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Calls `take` for everything below `root` that is not a directory, but not for what is named in it as `skip` says.
/// An error ends the walk.
pub(crate) fn for_each_file(
    root: BorrowedFd<'_>,
    skip: impl Fn(&OsStr) -> bool,
    mut take: impl FnMut(&Found<'_>) -> Result<()>,
) -> Result<()> {
    for_each_entry(root, skip, |found| {
        if found.is_directory {
            return Ok(());
        }
        take(found)
    })
}

/// As [`for_each_file`], but for directories, too, each before what is in it.
pub(crate) fn for_each_entry(
    root: BorrowedFd<'_>,
    skip: impl Fn(&OsStr) -> bool,
    mut take: impl FnMut(&Found<'_>) -> Result<()>,
) -> Result<()> {
    let reading = |path: &Path| format!("read the directory {}", path.display());
    let mut path = PathBuf::new();
    let mut levels = vec![Level::open(root, c".".to_owned()).doing(reading(&path))?];
    while let Some(level) = levels.last_mut() {
        let Some(entry) = level.next().doing(reading(&path))? else {
            levels.pop();
            path.pop();
            continue;
        };
        let name = OsStr::from_bytes(entry.name.to_bytes());
        if path.as_os_str().is_empty() && skip(name) {
            continue;
        }
        take(&Found {
            parent: level.handle().doing(reading(&path))?,
            name,
            path: path.join(name),
            is_directory: entry.is_directory,
        })?;
        if entry.is_directory {
            path.push(name);
            descend(&mut levels, entry.name).doing(reading(&path))?;
        }
    }
    Ok(())
}

/// Removes the directory `name` of `parent`, with all that is in it.
pub(super) fn remove_tree(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    let name = CString::new(name.as_bytes())?;
    let mut levels = vec![Level::open(parent, name)?];
    while let Some(mut level) = levels.pop() {
        if let Some(entry) = level.next()? {
            level.changed = true;
            if entry.is_directory {
                levels.push(level);
                descend(&mut levels, entry.name)?;
            } else {
                unlinkat(level.handle()?, entry.name.as_c_str(), AtFlags::empty())?;
                levels.push(level);
            }
            continue;
        }
        let above = match levels.last() {
            Some(above) => above.handle()?,
            None => parent,
        };
        match unlinkat(above, level.name.as_c_str(), AtFlags::REMOVEDIR) {
            Ok(()) => {}
            // A file system may pass over entries while others are removed: it is read again.
            Err(Errno::NOTEMPTY | Errno::EXIST) if level.changed => {
                level.directory.rewind();
                level.changed = false;
                levels.push(level);
            }
            Err(cause) => return Err(cause.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_removed_and_what_its_links_name_stays() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir_all(root.join("tree/a/b")).unwrap();
        std::fs::create_dir_all(root.join("kept/c")).unwrap();
        std::fs::write(root.join("tree/a/b/f"), "123").unwrap();
        std::fs::write(root.join("kept/c/f"), "x").unwrap();
        std::os::unix::fs::symlink(root.join("kept"), root.join("tree/link")).unwrap();
        let open = std::fs::File::open(root).unwrap();
        let tree = std::fs::File::open(root.join("tree")).unwrap();
        let mut found = Vec::new();
        for_each_file(
            tree.as_fd(),
            |_| false,
            |file| {
                found.push((file.path.clone(), file.open().unwrap().is_some()));
                Ok(())
            },
        )
        .unwrap();
        found.sort();
        let expected = [("a/b/f", true), ("link", false)];
        assert_eq!(
            found,
            expected.map(|(path, regular)| (PathBuf::from(path), regular))
        );
        assert!(
            open_below(tree.as_fd(), Path::new("link/c/f"))
                .unwrap()
                .is_none()
        );
        assert!(
            open_below(tree.as_fd(), Path::new("a/b/f"))
                .unwrap()
                .is_some()
        );
        remove_tree(open.as_fd(), OsStr::new("tree")).unwrap();
        assert!(!root.join("tree").exists());
        assert!(root.join("kept/c/f").exists());
        assert!(remove_tree(open.as_fd(), OsStr::new("missing")).is_err());
    }
}
