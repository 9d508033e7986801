//! The renames that put a staged directory into the place of the live one, and that take them back.
//!
//! Of a mount point, which cannot be renamed, the contents are renamed one by one. Each step can be repeated: it looks
//! at what is where.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, fsync, renameat, statat};
use rustix::io::Errno;

use crate::error::{Doing, Result};
use crate::failpoint;
use crate::files::Place;

/// What is renamed, by the names beside the live directory. The live directory is renamed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renames {
    /// What becomes live, if anything does.
    pub(crate) staged: Option<OsString>,
    /// The new name of the live directory, if there is one.
    pub(crate) previous: Option<OsString>,
}

/// The renames, and for a mount point the names in the two directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Swap {
    pub(super) renames: Renames,
    /// What is live before.
    pub(super) old: Vec<OsString>,
    /// What is live afterwards.
    pub(super) new: Vec<OsString>,
}

impl Swap {
    /// Plans `renames` at `place`.
    pub(super) fn plan(place: &Place, renames: Renames) -> Result<Swap> {
        let mut swap = Swap {
            renames,
            old: Vec::new(),
            new: Vec::new(),
        };
        if place.is_mount_point() {
            let doing = || format!("read {}", place.path().display());
            swap.old = place.contents().doing(doing())?;
            if let Some(staged) = &swap.renames.staged {
                let staged = place.open_directory(staged).doing(doing())?;
                swap.new = place.contents_of(staged).doing(doing())?;
            }
        }
        Ok(swap)
    }

    /// Makes all renames that are not made yet.
    pub(super) fn make(&self, place: &Place) -> Result<()> {
        let Renames { staged, previous } = &self.renames;
        if place.is_mount_point() {
            return self.make_inside(place);
        }
        let Some(live) = place.name() else {
            return Ok(());
        };
        if staged.as_ref().is_some_and(|staged| !place.has(staged)) {
            // This rename is the last one.
            return Ok(());
        }
        if let Some(previous) = previous
            && !place.has(previous)
        {
            place.rename(live, previous)?;
            failpoint::reached("old directory aside");
        }
        staged
            .as_ref()
            .map_or(Ok(()), |staged| place.rename(staged, live))
    }

    /// Takes back the renames that were made.
    pub(super) fn undo(&self, place: &Place) -> Result<()> {
        let Renames { staged, previous } = &self.renames;
        if place.is_mount_point() {
            return self.undo_inside(place);
        }
        let Some(live) = place.name() else {
            return Ok(());
        };
        // The live directory is the new one if the staged one has left its place.
        let is_new = |staged: &OsString| place.has(live) && !place.has(staged);
        if let Some(staged) = staged
            && is_new(staged)
            && previous.as_ref().is_none_or(|previous| place.has(previous))
        {
            place.rename(live, staged)?;
            failpoint::reached("new directory back");
        }
        if let Some(previous) = previous
            && place.has(previous)
        {
            place.rename(previous, live)?;
            failpoint::reached("old directory back");
        }
        Ok(())
    }

    fn make_inside(&self, place: &Place) -> Result<()> {
        if let Some(previous) = &self.renames.previous
            && !place.has(previous)
        {
            let shown = place.shown(previous);
            place
                .make_directory(previous)
                .doing(format!("make {}", shown.display()))?;
            failpoint::reached("directory for the old traces made");
        }
        let sides = Sides::open(place, &self.renames)?;
        // What is live is old until the name is taken in the other directory.
        if let Some(previous) = &sides.previous {
            for name in self
                .old
                .iter()
                .filter(|name| !is_in(previous.as_fd(), name))
            {
                move_one(place, name, place.directory(), previous.as_fd())?;
                failpoint::reached("old directory of the mount point aside");
            }
        }
        if let Some(staged) = &sides.staged {
            for name in self.new.iter().filter(|name| is_in(staged.as_fd(), name)) {
                move_one(place, name, staged.as_fd(), place.directory())?;
                failpoint::reached("new directory in the mount point");
            }
        }
        sides.sync(place)
    }

    fn undo_inside(&self, place: &Place) -> Result<()> {
        let sides = Sides::open(place, &self.renames)?;
        let is_aside = |name: &OsString| {
            let previous = sides.previous.as_ref();
            previous.is_some_and(|previous| is_in(previous.as_fd(), name))
        };
        if let Some(staged) = &sides.staged {
            for name in &self.new {
                let is_new = !self.old.contains(name) || is_aside(name);
                if is_new && !is_in(staged.as_fd(), name) && is_in(place.directory(), name) {
                    move_one(place, name, place.directory(), staged.as_fd())?;
                    failpoint::reached("new directory of the mount point back");
                }
            }
        }
        if let Some(previous) = &sides.previous {
            for name in self.old.iter().filter(|name| is_aside(name)) {
                move_one(place, name, previous.as_fd(), place.directory())?;
                failpoint::reached("old directory of the mount point back");
            }
        }
        sides.sync(place)?;
        if let Some(previous) = &self.renames.previous
            && sides.previous.is_some()
        {
            let shown = place.shown(previous);
            place
                .remove_empty(previous)
                .doing(format!("remove {}", shown.display()))?;
        }
        Ok(())
    }

    /// Removes the empty directory that is left of what was staged in a mount point.
    pub(super) fn tidy_up(&self, place: &Place) {
        if let Some(staged) = self
            .renames
            .staged
            .as_ref()
            .filter(|_| place.is_mount_point())
        {
            // If it is not empty, somebody else has put something there.
            let _ = place.remove_empty(staged);
        }
    }
}

/// The directories between which the contents of a mount point are moved.
struct Sides {
    staged: Option<OwnedFd>,
    previous: Option<OwnedFd>,
}

impl Sides {
    fn open(place: &Place, renames: &Renames) -> Result<Sides> {
        let open = |name: &Option<OsString>| {
            let Some(name) = name.as_ref().filter(|name| place.has(name)) else {
                return Ok(None);
            };
            let shown = place.shown(name);
            let opened = place.open_directory(name);
            opened.doing(format!("open {}", shown.display())).map(Some)
        };
        Ok(Sides {
            staged: open(&renames.staged)?,
            previous: open(&renames.previous)?,
        })
    }

    fn sync(&self, place: &Place) -> Result<()> {
        let mut all = self.staged.iter().chain(&self.previous);
        all.try_for_each(fsync)
            .map_err(std::io::Error::from)
            .and_then(|()| place.sync())
            .doing(format!("sync {}", place.path().display()))
    }
}

fn is_in(directory: BorrowedFd<'_>, name: &OsStr) -> bool {
    !matches!(
        statat(directory, name, AtFlags::SYMLINK_NOFOLLOW),
        Err(Errno::NOENT)
    )
}

fn move_one(place: &Place, name: &OsStr, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let shown = place.path().join(Path::new(name));
    place
        .run(|| renameat(from, name, to, name))
        .doing(format!("rename {}", shown.display()))
}
