//! The builds directory and the staging directory beside it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, Stat, fchmod, fstat, fsync};
use rustix::rand::{GetRandomFlags, getrandom};

use super::room::free_bytes_at;
use crate::cancellation::stop;
use crate::error::codes::Code;
use crate::error::{Doing, Error, Result};
use crate::failpoint;
use crate::files::{Owner, Place, PlaceLock};
use crate::ui::terminal;

/// The suffix of a staging directory, behind the name of the builds directory.
pub(super) const STAGING_SUFFIX: &str = ".ci_import_staging.";

/// The directory of the build traces, which need not exist yet.
#[derive(Debug, Clone)]
pub struct BuildsDirectory {
    place: Arc<Place>,
    /// Whose the traces become, if that is not the owner of the directory that they replace.
    owner: Option<Owner>,
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
        Ok(BuildsDirectory { place, owner: None })
    }

    /// The same, with traces that become `owner`'s. An error if they cannot be given to that user.
    pub fn owned_by(mut self, owner: Owner) -> Result<BuildsDirectory> {
        let refused =
            |what: String, hint: String| Error::usage(what).at("--builds-owner").hint(hint);
        let worker = self.place.worker();
        let (shown, user) = (owner.shown(), worker.user().as_raw());
        if owner.user != user && !worker.is_root() {
            let path = self.path().display();
            return Err(if rustix::process::geteuid().is_root() {
                refused(
                    format!(
                        "{path} lies in a directory of the user {user}, with whose rights the traces are written"
                    ),
                    format!("name that user, or give the directory above {path} to root"),
                )
            } else {
                refused(
                    format!("only root can give the traces to {shown}"),
                    "run ci-import as root, or as that user without this option".to_owned(),
                )
            });
        }
        if self.is_mount_point()
            && self
                .model()?
                .is_some_and(|found| found.st_uid != owner.user)
        {
            let path = self.path().display();
            return Err(refused(
                format!("{path} is a mount point, of which only the contents are replaced"),
                format!("give it to that user before: sudo chown {shown} {path}"),
            ));
        }
        self.owner = Some(owner);
        Ok(self)
    }

    /// Whose the traces become.
    pub fn future_owner(&self) -> Result<Owner> {
        let of_model = || {
            let model = match self.model()? {
                Some(live) => live,
                None => fstat(self.place.directory())
                    .map_err(io::Error::from)
                    .doing("look at it")?,
            };
            Ok(Owner::of(&model))
        };
        self.owner.map_or_else(of_model, Ok)
    }

    /// What the system says of the directory, if it exists.
    fn model(&self) -> Result<Option<Stat>> {
        let doing = || format!("look at {}", self.path().display());
        let live = self.place.live().doing(doing())?;
        let found = live.map(|live| fstat(&live).map_err(io::Error::from));
        found.transpose().doing(doing())
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
        let model = self.model().map_err(|error| error.at(doing()))?;
        let made = fstat(&directory).map_err(io::Error::from).doing(doing())?;
        let wanted = self.future_owner().map_err(|error| error.at(doing()))?;
        let is_other = wanted != Owner::of(&made);
        let can_give = rustix::process::geteuid().is_root()
            && (place.worker().is_root() || place.worker().user().as_raw() == wanted.user);
        let gives = is_other && (can_give || self.owner.is_some());
        let permissions = model.map(|live| Mode::from_raw_mode(live.st_mode & 0o2777 | 0o700));
        Ok(StagedDirectory {
            place: Arc::clone(place),
            name,
            directory,
            owner: gives.then_some(wanted),
            mode: permissions,
            removal: Some(removal),
            keep: false,
        })
    }
}

/// 32 random hexadecimal digits.
pub(super) fn unguessable() -> Result<String> {
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
    owner: Option<Owner>,
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
    pub fn owner(&self) -> Option<Owner> {
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
            if let Some(owner) = self.owner {
                owner.give(self.directory.as_fd())?;
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
            terminal::warn(
                Code::StagingRemains,
                &format!("the staging directory was not removed: {error}"),
            );
        }
    }
}

impl PartialEq for BuildsDirectory {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl Eq for BuildsDirectory {}
