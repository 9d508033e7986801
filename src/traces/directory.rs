//! The builds directory and the staging directory beside it.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::cancellation::stop;
use crate::error::{Doing, Error, Result};
use crate::failpoint;
use crate::ui::terminal;

/// The suffix of a staging directory, behind the name of the builds directory.
const STAGING_SUFFIX: &str = ".ci_import_staging.";

/// The directory of the build traces, which need not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildsDirectory {
    path: PathBuf,
}

impl BuildsDirectory {
    /// The directory at `path`, with links resolved; its parent must exist.
    pub fn at(path: &Path) -> Result<BuildsDirectory> {
        let doing = || format!("use {} as builds directory", path.display());
        if let Ok(path) = path.canonicalize() {
            return BuildsDirectory::existing(path)
                .map_err(|e| e.at(format!("cannot {}", doing())));
        }
        if path.is_symlink() {
            return Err(Error::usage(format!(
                "cannot {}: the target of the link does not exist",
                doing()
            )));
        }
        let absolute = std::path::absolute(path).doing(doing())?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(Error::usage(format!("cannot {}", doing())));
        };
        let parent = parent.canonicalize().map_err(|cause| {
            Error::usage(format!("cannot {}: {}: {cause}", doing(), parent.display()))
                .caused_by(cause)
                .hint("its parent directory must exist")
                .hint_if_denied(|| rights_hint(parent))
        })?;
        Ok(BuildsDirectory {
            path: parent.join(name),
        })
    }

    fn existing(path: PathBuf) -> Result<BuildsDirectory> {
        let metadata = fs::metadata(&path).doing("look at it")?;
        if !metadata.is_dir() {
            return Err(Error::usage("it is not a directory"));
        }
        let parent = path.parent().and_then(|parent| fs::metadata(parent).ok());
        // It is renamed in the end, which neither a root nor a mount point can be.
        if parent.is_none_or(|parent| parent.dev() != metadata.dev()) || is_mounted(&path) {
            return Err(Error::usage("it is a mount point, which cannot be renamed")
                .hint("name a directory in it"));
        }
        Ok(BuildsDirectory { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it exists and is not empty.
    pub fn has_content(&self) -> Result<bool> {
        match fs::read_dir(&self.path) {
            Ok(mut entries) => Ok(entries.next().is_some()),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(cause)
                .doing(format!("read {}", self.path.display()))
                .map_err(|error| error.hint_if_denied(|| rights_hint(&self.path))),
        }
    }

    /// Checks that directories can be made beside it.
    pub fn check_writable(&self) -> Result<()> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        tempfile::Builder::new()
            .prefix(".ci_import_check.")
            .tempdir_in(parent)
            .doing(format!("write into {}", parent.display()))
            .map_err(|error| error.hint_if_denied(|| rights_hint(parent)))
            .map(drop)
    }

    /// A path beside it: `builds` and `suffix`.
    #[must_use]
    pub fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        self.path.with_file_name(name)
    }

    /// The directories beside it whose names begin with its own name and `suffix`, and which dead imports left behind:
    /// nobody holds their locks.
    pub(crate) fn left_beside(&self, suffix: &str) -> Result<Vec<PathBuf>> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        let prefix = self.beside(suffix);
        let prefix = prefix.file_name().unwrap_or_default().as_encoded_bytes();
        let is_left = |path: &PathBuf| {
            File::open(path)
                .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok())
        };
        let entries = fs::read_dir(parent).doing(format!("read {}", parent.display()))?;
        let named = entries
            .flatten()
            .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix));
        Ok(named.map(|entry| entry.path()).filter(is_left).collect())
    }

    /// Removes the staging directories of dead imports.
    pub fn remove_stale(&self) -> Result<()> {
        for path in self.left_beside(STAGING_SUFFIX)? {
            let shown = path.display();
            terminal::say(&format!(
                "ci-import: removing {shown}, left by an interrupted import"
            ));
            fs::remove_dir_all(&path).doing(format!("remove {shown}"))?;
            failpoint::reached("stale directory removed");
        }
        Ok(())
    }

    /// Makes the staging directory, with the mode and owner of the builds directory that it will
    /// replace; without one, for its owner alone.
    pub fn stage(&self, unique: &str) -> Result<StagedDirectory> {
        self.remove_stale()?;
        let path = self.beside(&format!("{STAGING_SUFFIX}{unique}"));
        let doing = || format!("create the staging directory {}", path.display());
        stop::remove_at_end(&path);
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        let created = DirBuilder::new().mode(0o700).create(&path);
        created
            .doing(doing())
            .map_err(|error| error.hint_if_denied(|| rights_hint(parent)))?;
        failpoint::reached("staging directory made");
        let lock = File::open(&path).doing(doing())?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(std::io::Error::from)
            .doing(doing())?;
        let mut staged = StagedDirectory {
            path: path.clone(),
            owner: None,
            keep: false,
            _lock: lock,
        };
        let present = fs::metadata(&self.path).ok();
        let model = match &present {
            Some(present) => present.clone(),
            None => fs::metadata(self.path.parent().unwrap_or(Path::new("/"))).doing(doing())?,
        };
        if let Some(present) = present {
            let mode = present.permissions().mode() & 0o2777 | 0o700;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).doing(doing())?;
        }
        let made = fs::metadata(&path).doing(doing())?;
        let owner = (model.uid(), model.gid());
        if rustix::process::geteuid().is_root() && owner != (made.uid(), made.gid()) {
            std::os::unix::fs::chown(&path, Some(owner.0), Some(owner.1)).doing(doing())?;
            staged.owner = Some(owner);
        }
        Ok(staged)
    }
}

/// What to do if the user may not read or change `directory`.
fn rights_hint(directory: &Path) -> String {
    let shown = directory.display();
    format!(
        "run ci-import as root or as GitLab's user (sudo -u git), who must be allowed to read the traces and to rename \
         their directory; to give {shown} to that user: sudo chown git {shown}"
    )
}

/// A staging directory. It is removed if it is dropped without being published.
#[derive(Debug)]
pub struct StagedDirectory {
    path: PathBuf,
    owner: Option<(u32, u32)>,
    keep: bool,
    /// The lock of the import; the kernel releases it when the process ends.
    _lock: File,
}

impl StagedDirectory {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The owner of the files in it, if that is not the owner of the process.
    #[must_use]
    pub fn owner(&self) -> Option<(u32, u32)> {
        self.owner
    }

    /// Says that it was published, and must not be removed.
    pub fn published(&mut self) {
        self.keep = true;
        stop::keep_at_end(&self.path);
    }
}

impl Drop for StagedDirectory {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        let _unhurried = stop::unhurried();
        failpoint::reached("staging directory to be removed");
        if let Err(cause) = fs::remove_dir_all(&self.path)
            && cause.kind() != std::io::ErrorKind::NotFound
        {
            let path = self.path.display();
            terminal::warn(&format!(
                "the staging directory {path} was not removed: {cause}"
            ));
        }
    }
}

/// Whether something is mounted at `path`, also from the same file system.
fn is_mounted(path: &Path) -> bool {
    // Where there is no such file, the rename says it.
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    // The fifth field is the mount point (proc(5)).
    let mut points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    points.any(|point| unescaped(point) == path.as_os_str().as_encoded_bytes())
}

/// The bytes of a path in /proc, where blanks and backslashes are octal numbers.
fn unescaped(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let octal = behind.get(..3).filter(|_| *first == b'\\');
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            bytes.push(byte);
            rest = &behind[3..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    bytes
}
