//! The folder of the archives: the file that is written, and older archives that may go.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use tempfile::{NamedTempFile, TempPath};

use crate::error::{Doing, Error, Result};

/// What the name of an archive ends with; before it is the time, in seconds since 1970.
const SUFFIX: &str = "_gitlab_ci_backup.tar";

/// The name of an archive made at `time`.
pub(super) fn name_of(time: u64) -> String {
    format!("{time}{SUFFIX}")
}

/// An archive that is written, and gets its name when it is complete.
pub(super) struct NewArchive {
    path: TempPath,
    name: PathBuf,
}

impl NewArchive {
    /// A new file in `folder` for the archive made at `time`, and the open file.
    pub(super) fn create(folder: &Path, time: u64) -> Result<(NewArchive, File)> {
        let name = folder.join(name_of(time));
        if !folder.is_dir() {
            return Err(
                Error::usage(format!("{} is no directory", folder.display()))
                    .hint("-o names the folder in which the archive is made"),
            );
        }
        if fs::symlink_metadata(&name).is_ok() {
            return Err(Error::usage(format!("{} exists", name.display())));
        }
        let writing = format!("write in {}", folder.display());
        let file = tempfile::Builder::new()
            .prefix(&format!(".{}.", name_of(time)))
            .tempfile_in(folder)
            .doing(writing.clone())
            .map_err(|error| {
                error.hint_if_denied(|| {
                    "run ci-import as root or as the owner of the folder".to_owned()
                })
            })?;
        let open = file.as_file().try_clone().doing(writing)?;
        // As long as it is written, others do not take it for one that was left.
        let _ = flock(&open, FlockOperation::NonBlockingLockExclusive);
        remove_left(folder);
        let path = NamedTempFile::into_temp_path(file);
        Ok((NewArchive { path, name }, open))
    }

    /// Where it is now.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the complete `file` its name, unless somebody else has taken it.
    pub(super) fn keep(self, file: &File) -> Result<PathBuf> {
        let writing = format!("write {}", self.name.display());
        // It has the secrets of projects.
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .doing(writing.clone())?;
        self.path
            .persist_noclobber(&self.name)
            .map_err(|error| error.error)
            .doing(writing.clone())?;
        let folder = self.name.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .doing(writing)?;
        Ok(self.name)
    }
}

/// Removes what killed backups of the user have left in `folder`: nobody writes it any more.
fn remove_left(folder: &Path) {
    let own = rustix::process::geteuid().as_raw();
    let is_left = |entry: &fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let of_backup = name.starts_with('.') && name.contains(&format!("{SUFFIX}."));
        let is_own = entry
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.uid() == own);
        of_backup && is_own
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(is_left) {
        let open = File::open(entry.path());
        let is_unused =
            open.is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
        if is_unused {
            // The next backup tries again.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether `name` is that of an archive that was made more than `seconds` before `time`.
pub(super) fn is_older(name: &str, time: u64, seconds: u64) -> bool {
    let made = name
        .strip_suffix(SUFFIX)
        .and_then(|time| time.parse::<u64>().ok());
    made.is_some_and(|made| made.saturating_add(seconds) < time)
}

/// Removes the archives in `folder` that were made more than `seconds` before `time`. Returns their names.
pub(super) fn remove_older(folder: &Path, time: u64, seconds: u64) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for entry in fs::read_dir(folder).doing(format!("read {}", folder.display()))? {
        let entry = entry.doing(format!("read {}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && is_older(&name, time, seconds) {
            fs::remove_file(entry.path()).doing(format!("remove {name}"))?;
            removed.push(name);
        }
    }
    removed.sort();
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_older_archives_go() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["100", "899", "900", "1000", "x", ""] {
            fs::write(folder.path().join(format!("{name}{SUFFIX}")), "").unwrap();
        }
        fs::write(folder.path().join("100_gitlab_backup.tar"), "").unwrap();
        let removed = remove_older(folder.path(), 1000, 100).unwrap();
        assert_eq!(
            removed,
            ["100", "899"].map(|name| format!("{name}{SUFFIX}"))
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    }
}
