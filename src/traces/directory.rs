//! The builds directory and the staging directory beside it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Doing, Error, Result};

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
            if !path.is_dir() {
                return Err(Error::usage(format!(
                    "cannot {}: it is no directory",
                    doing()
                )));
            }
            return Ok(BuildsDirectory { path });
        }
        let absolute = std::path::absolute(path).doing(doing())?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(Error::usage(format!("cannot {}", doing())));
        };
        let parent = parent.canonicalize().map_err(|cause| {
            Error::usage(format!("cannot {}: {}: {cause}", doing(), parent.display()))
                .hint("the directory it lies in must exist")
        })?;
        Ok(BuildsDirectory {
            path: parent.join(name),
        })
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
            Err(cause) => Err(cause).doing(format!("read {}", self.path.display())),
        }
    }

    /// A path beside it: `builds` and `suffix`.
    #[must_use]
    pub fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        self.path.with_file_name(name)
    }

    /// Makes the staging directory, with the mode and owner of the builds directory that it will
    /// replace; without one, for its owner alone.
    pub fn stage(&self, unique: &str) -> Result<StagedDirectory> {
        let path = self.beside(&format!(".ci_import_staging.{unique}"));
        let doing = || format!("make the staging directory {}", path.display());
        DirBuilder::new().mode(0o700).create(&path).doing(doing())?;
        let mut staged = StagedDirectory {
            path: path.clone(),
            owner: None,
            keep: false,
        };
        let present = fs::metadata(&self.path).ok();
        let model = match &present {
            Some(present) => present.clone(),
            None => fs::metadata(self.path.parent().unwrap_or(Path::new("/"))).doing(doing())?,
        };
        if let Some(present) = present {
            let mode = present.permissions().mode() & 0o777 | 0o700;
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

/// A staging directory; dropped without being published, it is removed.
#[derive(Debug)]
pub struct StagedDirectory {
    path: PathBuf,
    owner: Option<(u32, u32)>,
    keep: bool,
}

impl StagedDirectory {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// User and group that what is put into it must belong to, where it is not the process's own.
    #[must_use]
    pub fn owner(&self) -> Option<(u32, u32)> {
        self.owner
    }

    /// Says that it was published, and is no more.
    pub fn published(&mut self) {
        self.keep = true;
    }
}

impl Drop for StagedDirectory {
    fn drop(&mut self) {
        if !self.keep
            && let Err(cause) = fs::remove_dir_all(&self.path)
        {
            let path = self.path.display();
            eprintln!("ci-import: warning: the staging directory {path} stays: {cause}");
        }
    }
}
