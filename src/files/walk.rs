//! Opens a directory step by step, and notes who could have led the way elsewhere.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

/// So many links are followed, as Linux does it (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A way to a directory, of which every step is open.
pub(super) struct Way {
    /// The directories from the root to the end, with their names. The root's name is empty.
    steps: Vec<(OsString, OwnedFd)>,
    /// The owners of the links on the way, with their groups.
    owners: BTreeMap<u32, u32>,
}

impl Way {
    /// Follows `path`, also through links, to its end.
    pub(super) fn to(path: &Path) -> io::Result<Way> {
        let path = std::path::absolute(path)?;
        let mut way = Way {
            steps: vec![(OsString::new(), open_step(None, OsStr::new("/"))?)],
            owners: BTreeMap::new(),
        };
        let mut links = 0;
        let mut ahead: VecDeque<OsString> = parts(&path).collect();
        while let Some(part) = ahead.pop_front() {
            if part == ".." {
                if way.steps.len() > 1 {
                    way.steps.pop();
                }
                continue;
            }
            match open_step(Some(way.end()), &part) {
                Ok(directory) => way.steps.push((part, directory)),
                // A link.
                Err(Errno::LOOP | Errno::NOTDIR) => {
                    let found = statat(way.end(), &part, AtFlags::SYMLINK_NOFOLLOW)?;
                    if !FileType::from_raw_mode(found.st_mode).is_symlink() {
                        return Err(io::ErrorKind::NotADirectory.into());
                    }
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    way.owners.insert(found.st_uid, found.st_gid);
                    let target = readlinkat(way.end(), &part, Vec::new())?;
                    let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                    if target.is_absolute() {
                        way.steps.truncate(1);
                    }
                    for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
                        ahead.push_front(part);
                    }
                }
                Err(cause) => return Err(cause.into()),
            }
        }
        Ok(way)
    }

    /// The directory at the end, which can only be looked through.
    pub(super) fn end(&self) -> &OwnedFd {
        &self.steps[self.steps.len() - 1].1
    }

    /// The directory at the end, to be read.
    pub(super) fn open(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(self.end(), ".", flags, Mode::empty())?)
    }

    /// The path without links.
    pub(super) fn path(&self) -> PathBuf {
        let mut path = PathBuf::from("/");
        path.extend(self.steps.iter().skip(1).map(|(name, _)| name));
        path
    }

    /// Goes back to the parent. Returns the name of the directory that was left, none for the root.
    pub(super) fn leave(&mut self) -> Option<OsString> {
        if self.steps.len() < 2 {
            return None;
        }
        self.steps.pop().map(|(name, _)| name)
    }

    /// Whoever could have led the way elsewhere.
    pub(super) fn steerers(&self) -> io::Result<Steerers> {
        let mut path = PathBuf::from("/");
        let mut steerers = Steerers {
            owners: self.owners.clone(),
            open: None,
        };
        for (name, directory) in &self.steps {
            path.push(name);
            let found = fstat(directory)?;
            steerers.owners.insert(found.st_uid, found.st_gid);
            let mode = Mode::from_raw_mode(found.st_mode);
            if mode.contains(Mode::WOTH) && !mode.contains(Mode::SVTX) {
                steerers.open.get_or_insert_with(|| path.clone());
            }
        }
        if let Some(outside) = outside_user() {
            steerers.owners.remove(&outside);
        }
        Ok(steerers)
    }
}

/// Whoever could have led a way elsewhere.
pub(super) struct Steerers {
    /// The owners of its directories and of its links, each with the group of the last.
    pub(super) owners: BTreeMap<u32, u32>,
    /// The first directory in which everybody may rename everything.
    pub(super) open: Option<PathBuf>,
}

/// The user that stands for all who are outside of the user namespace of the process, if it has one of its own
/// (user_namespaces(7)): nobody can take their rights, and root inside has none over what is theirs.
fn outside_user() -> Option<u32> {
    let map = std::fs::read_to_string("/proc/self/uid_map").ok()?;
    if map.split_whitespace().eq(["0", "0", "4294967295"]) {
        return None;
    }
    let user = std::fs::read_to_string("/proc/sys/kernel/overflowuid").ok()?;
    user.trim().parse().ok()
}

/// Whether `user` is somebody else than root, the user of the program, and those outside of its user namespace.
pub(crate) fn is_stranger(user: u32) -> bool {
    user != 0 && user != rustix::process::geteuid().as_raw() && Some(user) != outside_user()
}

/// Who else than root and the user could change the directory or file at `path`, or lead elsewhere, as the rest of a
/// sentence: "it belongs to the user 1000"; none if nobody could.
pub(crate) fn stranger_at(path: &Path) -> io::Result<Option<String>> {
    let path = std::path::absolute(path)?;
    let way = match Way::to(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => {
            Way::to(path.parent().unwrap_or(&path))?
        }
        way => way?,
    };
    let steerers = way.steerers()?;
    if let Some(open) = steerers.open {
        return Ok(Some(format!("everybody may write to {}", open.display())));
    }
    let itself = std::fs::metadata(&path)?;
    if itself.mode() & 0o002 != 0 {
        return Ok(Some("everybody may write to it".to_owned()));
    }
    if is_stranger(itself.uid()) {
        return Ok(Some(format!("it belongs to the user {}", itself.uid())));
    }
    let above = steerers.owners.into_keys().find(|user| is_stranger(*user));
    Ok(above.map(|user| format!("a directory above it belongs to the user {user}")))
}

/// The names of a path; blanks of the root and "." are left out.
fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsStr::from_bytes(b"..").to_owned()),
        _ => None,
    })
}

fn open_step(parent: Option<&OwnedFd>, name: &OsStr) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match parent {
        Some(parent) => openat(parent, name, flags, Mode::empty()),
        None => openat(CWD, name, flags, Mode::empty()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_way_goes_where_the_kernel_goes() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        symlink("a", root.join("to_a")).unwrap();
        symlink(root.join("to_a/b"), root.join("absolute")).unwrap();
        symlink("../to_a/./b/..", root.join("a/up")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        for path in [
            "",
            "a",
            "a/b",
            "to_a",
            "to_a/b/..",
            "absolute",
            "a/up/b",
            "absolute/../up",
        ] {
            let path = root.join(path);
            assert_eq!(Way::to(&path).unwrap().path(), path.canonicalize().unwrap());
        }
        for (path, error) in [
            ("missing", io::ErrorKind::NotFound),
            ("file", io::ErrorKind::NotADirectory),
            ("file/a", io::ErrorKind::NotADirectory),
        ] {
            let found = Way::to(&root.join(path)).err().map(|cause| cause.kind());
            assert_eq!(found, Some(error), "{path}");
        }
        assert!(Way::to(&root.join("loop")).is_err());
        let mut way = Way::to(&root.join("a/b")).unwrap();
        assert_eq!(way.leave(), Some(OsString::from("b")));
        assert_eq!(way.path(), root.join("a"));
    }
}
