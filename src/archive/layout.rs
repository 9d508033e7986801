//! Which entries of an archive are its members, and what the archive is if a member is missing.

use std::path::{Path, PathBuf};

use tar::EntryType;

use super::entries::Entry;
use super::member::{Member, kind_of, refused, safe_path, shown, twice};
use crate::error::{Error, Result};

/// What GitLab's own backup has, and the backup of its CI has not.
const OF_GITLAB: [&str; 5] = [
    "repositories",
    "uploads.tar.gz",
    "builds.tar.gz",
    "artifacts.tar.gz",
    "lfs.tar.gz",
];

/// The members that were found so far. They may all be in a folder: who has packed the archive again named it, too.
#[derive(Debug, Default)]
pub struct Layout {
    folder: Option<PathBuf>,
    seen: [bool; 3],
    other: Option<Other>,
}

/// Why an archive has other entries than members.
#[derive(Debug)]
enum Other {
    /// This name has backslashes, but would be a member.
    Backslashes(String),
    /// This member is there, but not compressed.
    Plain(Member, &'static str),
    /// This entry is one of GitLab's own backup.
    OfGitlab(String),
}

impl Layout {
    /// The member that the entry `name` is, if it is one. An entry that a backup never has is refused, and a second
    /// member of the same name.
    pub fn member<S>(&mut self, name: &[u8], entry: &Entry<'_, S>) -> Result<Option<Member>> {
        let path = safe_path(name)?;
        match entry.kind() {
            EntryType::Directory => {
                self.note(&path);
                return Ok(None);
            }
            EntryType::Regular | EntryType::Continuous => {}
            _ => return Err(refused_kind(name, entry)),
        }
        let mut members = Member::ALL.into_iter();
        let Some(member) = members.find(|member| path.ends_with(member.name())) else {
            self.note(&path);
            return Ok(None);
        };
        let depth = Path::new(member.name()).components().count();
        let folder = path.ancestors().nth(depth).unwrap_or(Path::new(""));
        let first = self.folder.get_or_insert_with(|| folder.to_owned());
        if first != folder {
            let message = format!(
                "the archive has members in two folders: {} and {}",
                shown(first),
                shown(folder)
            );
            return Err(Error::archive(message)
                .hint("it should have one backup: unpack it, and name one of the folders"));
        }
        if std::mem::replace(&mut self.seen[member as usize], true) {
            return Err(twice(member.name()));
        }
        Ok(Some(member))
    }

    /// Notes what explains a missing member.
    fn note(&mut self, path: &Path) {
        let name = path.to_string_lossy();
        let is_of_gitlab = |part: &&str| {
            path.components()
                .take(2)
                .any(|c| c.as_os_str() == std::ffi::OsStr::new(part))
        };
        let other = if name.contains('\\') {
            let path = name.replace('\\', "/");
            let mut members = Member::ALL.iter();
            let is_member = members.any(|member| Path::new(&path).ends_with(member.name()));
            is_member.then(|| Other::Backslashes(name.into_owned()))
        } else if let Some((member, plain)) = Member::plain_of(path) {
            Some(Other::Plain(member, plain))
        } else if OF_GITLAB.iter().any(is_of_gitlab) {
            Some(Other::OfGitlab(name.into_owned()))
        } else {
            None
        };
        self.other = self.other.take().or(other);
    }

    /// An error if a member is missing.
    pub fn check(&self) -> Result<()> {
        let mut members = Member::ALL.into_iter();
        match members.find(|member| !self.seen[*member as usize]) {
            Some(member) => Err(self.missing(member)),
            None => Ok(()),
        }
    }

    /// The error for a missing member.
    fn missing(&self, member: Member) -> Error {
        let missing = format!("the archive has no member {}", member.name());
        match &self.other {
            Some(Other::OfGitlab(name)) => Error::archive(format!(
                "{missing}: with {name:?} it is a backup of GitLab itself, not of GitLab CI"
            ))
            .hint(
                "GitLab restores it with gitlab:backup:restore. The archive of the CI is \
                 <epoch>_gitlab_ci_backup.tar, which backup:create makes on the CI server",
            ),
            Some(Other::Backslashes(name)) => Error::archive(format!(
                "{missing}: names like {name:?} have backslashes, as some programs for Windows write them"
            ))
            .hint("take the archive as GitLab CI made it; or unpack it, pack it again with tar on Linux"),
            Some(Other::Plain(of, plain)) if *of == member => Error::archive(format!(
                "{missing}, but {plain}: the member was decompressed"
            ))
            .hint(format!(
                "unpack the archive, compress the file again (gzip {plain}), and name the folder"
            )),
            _ => Error::archive(missing).hint(
                "check that this is a backup of GitLab CI (<epoch>_gitlab_ci_backup.tar), and complete",
            ),
        }
    }
}

/// The error for an entry that is neither a file nor a directory.
pub(crate) fn refused_kind<S>(name: &[u8], entry: &Entry<'_, S>) -> Error {
    let (kind, name) = (entry.kind(), String::from_utf8_lossy(name));
    let why = kind_of(kind);
    if !kind.is_symlink() && !kind.is_hard_link() {
        return refused(&name, why);
    }
    let link = entry.link().unwrap_or_default();
    let link = String::from_utf8_lossy(&link);
    refused(&name, &format!("{why} to {link:?}")).hint(
        "links could lead anywhere, so none is unpacked. If the builds directory of the CI server has links, \
         pack the files that they lead to, there: tar -C BUILDS --dereference --hard-dereference -czf \
         builds.tar.gz -- . Then unpack this archive, replace builds/builds.tar.gz by that file, and name the \
         folder",
    )
}
