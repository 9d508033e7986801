//! Renames the builds directories; can be undone until the transaction is committed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Doing, Result};
use crate::traces::{BuildsDirectory, StagedDirectory};

/// Two renames that were done.
#[derive(Debug)]
pub(super) struct Swapped {
    live: PathBuf,
    staged: PathBuf,
    /// Where the old directory is now, if there was one.
    pub(super) previous: Option<PathBuf>,
}

/// Moves the builds directory aside, if there is one, and the staged one in its place.
pub(super) fn swap(
    builds: &BuildsDirectory,
    staged: &StagedDirectory,
    epoch: u64,
) -> Result<Swapped> {
    let live = builds.path().to_owned();
    let mut previous = None;
    if live.exists() {
        let aside = free_name(builds, epoch);
        fs::rename(&live, &aside)
            .doing(format!("rename {} to {}", live.display(), aside.display()))
            .map_err(|error| error.hint("is it a mount point? then name a directory in it"))?;
        previous = Some(aside);
    }
    let swapped = Swapped {
        live,
        staged: staged.path().to_owned(),
        previous,
    };
    let (from, to) = (&swapped.staged, &swapped.live);
    if let Err(error) =
        fs::rename(from, to).doing(format!("rename {} to {}", from.display(), to.display()))
    {
        swapped.bring_back_previous()?;
        return Err(error);
    }
    sync_parent(&swapped.live)
        .doing(format!("sync the directory of {}", swapped.live.display()))
        .or_else(|error| swapped.undo().and(Err(error)))?;
    Ok(swapped)
}

impl Swapped {
    /// Renames everything back.
    pub(super) fn undo(&self) -> Result<()> {
        let (from, to) = (&self.live, &self.staged);
        fs::rename(from, to).doing(format!(
            "rename {} back to {}",
            from.display(),
            to.display()
        ))?;
        self.bring_back_previous()
    }

    fn bring_back_previous(&self) -> Result<()> {
        let Some(previous) = &self.previous else {
            return Ok(());
        };
        let live = &self.live;
        fs::rename(previous, live).doing(format!(
            "rename {} back to {}",
            previous.display(),
            live.display()
        ))
    }
}

/// `builds.<epoch>`, or a later second if that is taken.
fn free_name(builds: &BuildsDirectory, epoch: u64) -> PathBuf {
    let names = (epoch..).map(|second| builds.beside(&format!(".{second}")));
    names
        .into_iter()
        .find(|path| !path.exists())
        .unwrap_or_default()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}
