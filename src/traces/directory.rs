//! The builds directory and the staging directory beside it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Gid, Mode, Uid, fchmod, fchown, fstat, fsync};
use rustix::rand::{GetRandomFlags, getrandom};

use super::room::free_bytes_at;
use crate::cancellation::stop;
use crate::error::{Doing, Result};
use crate::failpoint;
use crate::files::{Place, PlaceLock};
use crate::ui::terminal;

/// The suffix of a staging directory, behind the name of the builds directory.
pub(super) const STAGING_SUFFIX: &str = ".ci_import_staging.";

/// The directory of the build traces, which need not exist yet.
#[derive(Debug, Clone)]
pub struct BuildsDirectory {
    place: Arc<Place>,
}

/// One import, rollback or recovery at a time has it.
#[derive(Debug)]
pub struct BuildsLock {
    #[expect(dead_code, reason = "it is released when it is dropped")]
    lock: PlaceLock,
}

impl BuildsDirectory {
    /// The directory at `path`, with links resolved; its parent must exist. From here on it is used by descriptors.
    pub fn at(path: &Path) -> Result<BuildsDirectory> {
        let place = Arc::new(Place::at(path)?);
        Ok(BuildsDirectory { place })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Whether it is a mount point, of which the contents are replaced.
    #[must_use]
    pub fn is_mount_point(&self) -> bool {
        self.place.is_mount_point()
    }

    /// Whether it exists.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.place.is_live()
    }

    /// Where it lies, and what lies beside it.
    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Whether it exists and is not empty.
    pub fn has_content(&self) -> Result<bool> {
        let contents = self.place.contents();
        let contents = contents
            .doing(format!("read {}", self.path().display()))
            .map_err(|error| error.hint_if_denied(|| self.place.rights_hint(self.path())))?;
        Ok(!contents.is_empty())
    }

    /// Checks that directories can be made beside it.
    pub fn check_writable(&self) -> Result<()> {
        self.place.check_writable()
    }

    /// An error if another import, rollback or recovery uses the directory.
    pub fn check_unused(&self) -> Result<()> {
        PlaceLock::check(&self.place)
    }

    /// Takes the lock of the directory; an error if somebody has it.
    pub fn lock(&self) -> Result<BuildsLock> {
        let lock = PlaceLock::take(&self.place)?;
        Ok(BuildsLock { lock })
    }

    /// How many bytes are free for traces, if the file system says so.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        free_bytes_at(self.place.directory())
    }

    /// Removes the staging directories of dead imports. Needs the lock: who has it knows that they are dead.
    pub fn remove_stale(&self) -> Result<()> {
        let parent = self.path().parent().unwrap_or(Path::new("/"));
        let left = self.place.beside_beginning(STAGING_SUFFIX);
        for name in left.doing(format!("read {}", parent.display()))? {
            if !self.place.has_directory(&name) {
                continue;
            }
            let shown = self.place.shown(&name);
            terminal::say(&format!(
                "ci-import: removing {}, left by an interrupted import",
                shown.display()
            ));
            self.place.remove_tree(&name)?;
            failpoint::reached("stale directory removed");
        }
        Ok(())
    }

    /// Makes the staging directory. Until it is finished, only its owner may use it.
    pub fn stage(&self) -> Result<StagedDirectory> {
        self.remove_stale()?;
        let place = &self.place;
        // Nobody can wait for a name that he cannot guess.
        let name = place.beside_named(&format!("{STAGING_SUFFIX}{}", unguessable()?));
        let path = place.shown(&name);
        let doing = || format!("create the staging directory {}", path.display());
        let parent = path.parent().unwrap_or(Path::new("/")).to_owned();
        let removal = {
            let (place, name) = (Arc::clone(place), name.clone());
            stop::remove_at_end(move || place.remove_tree(&name).is_ok() || !place.has(&name))
        };
        let directory = place
            .make_directory(&name)
            .doing(doing())
            .map_err(|error| error.hint_if_denied(|| place.rights_hint(&parent)))?;
        failpoint::reached("staging directory made");
        let live = place.live().doing(doing())?;
        let model = match &live {
            Some(live) => fstat(live),
            None => fstat(place.directory()),
        };
        let model = model.map_err(io::Error::from).doing(doing())?;
        let made = fstat(&directory).map_err(io::Error::from).doing(doing())?;
        let is_other = (model.st_uid, model.st_gid) != (made.st_uid, made.st_gid);
        let gives = place.worker().is_root() || place.worker().user().as_raw() == model.st_uid;
        let owner = (is_other && gives && rustix::process::geteuid().is_root())
            .then_some((model.st_uid, model.st_gid));
        let permissions = live.map(|_| Mode::from_raw_mode(model.st_mode & 0o2777 | 0o700));
        Ok(StagedDirectory {
            place: Arc::clone(place),
            name,
            directory,
            owner,
            mode: permissions,
            removal: Some(removal),
            keep: false,
        })
    }
}

/// 32 random hexadecimal digits.
fn unguessable() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom(&mut bytes, GetRandomFlags::empty())
        .map_err(io::Error::from)
        .doing("get random bytes")?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// A staging directory. It is removed if it is dropped without being published.
#[derive(Debug)]
pub struct StagedDirectory {
    place: Arc<Place>,
    name: OsString,
    directory: OwnedFd,
    owner: Option<(u32, u32)>,
    mode: Option<Mode>,
    removal: Option<stop::Removal>,
    keep: bool,
}

impl StagedDirectory {
    /// The staging directory `name` beside `builds`, which an earlier import has kept.
    pub(super) fn of_kept(
        builds: &BuildsDirectory,
        name: OsString,
        directory: OwnedFd,
    ) -> StagedDirectory {
        StagedDirectory {
            place: Arc::clone(&builds.place),
            name,
            directory,
            owner: None,
            mode: None,
            removal: None,
            keep: true,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.place.shown(&self.name)
    }

    /// Its name beside the builds directory.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    /// The directory, open.
    #[must_use]
    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// The owner of the files in it, if that is not the owner of the process.
    #[must_use]
    pub fn owner(&self) -> Option<(u32, u32)> {
        self.owner
    }

    /// Does `work` in it with the rights with which it was made.
    pub fn work<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let done = self.place.worker().run(work);
        done.doing(format!(
            "take the rights of the owner of {}",
            self.path().display()
        ))?
    }

    /// Gives it the mode and the owner of the builds directory that it will replace. Nothing is written into it
    /// afterwards: its new owner may.
    pub fn finish(&self) -> Result<()> {
        let done = self.place.run(|| {
            if let Some(mode) = self.mode {
                fchmod(&self.directory, mode)?;
            }
            if let Some((user, group)) = self.owner {
                let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
                fchown(&self.directory, Some(user), Some(group))?;
            }
            fsync(&self.directory)
        });
        done.doing(format!("finish {}", self.path().display()))
    }

    /// Says that it was published, and must not be removed.
    pub fn published(&mut self) {
        self.keep = true;
        if let Some(removal) = self.removal {
            stop::keep_at_end(removal);
        }
    }
}

impl Drop for StagedDirectory {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        let _unhurried = stop::unhurried();
        failpoint::reached("staging directory to be removed");
        if let Err(error) = self.place.remove_tree(&self.name)
            && self.place.has(&self.name)
        {
            terminal::warn(&format!("the staging directory was not removed: {error}"));
        }
    }
}

impl PartialEq for BuildsDirectory {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl Eq for BuildsDirectory {}
