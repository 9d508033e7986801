//! Staged traces that are kept for a later publish. They get another name, so that nobody takes them for what a killed
//! import has left.

use std::ffi::OsString;
use std::io;

use rustix::fs::{FileType, Stat};
use serde::{Deserialize, Serialize};

use super::builds::{Builds, StagedTraces};
use super::directory::{BuildsDirectory, STAGING_SUFFIX, StagedDirectory};
use super::prefix::{remove_traces, root_of};
use crate::error::{Doing, Error, Result};
use crate::failpoint;

/// The suffix of a kept directory, behind the name of the builds directory. A journal may name it.
const KEPT_SUFFIX: &str = ".ci_import_kept.";

/// A kept directory, as its record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDirectory {
    /// The builds directory that it is beside.
    builds: String,
    /// The end of its name: hexadecimal digits.
    unique: String,
    owner: (u32, u32),
    mode: u32,
}

impl KeptDirectory {
    /// What the record of `staged` says, which is beside `builds`.
    pub fn of(staged: &StagedDirectory, builds: &BuildsDirectory) -> Result<KeptDirectory> {
        let shown = staged.path();
        let shown = shown.display();
        let unusual = || Error::failed(format!("cannot keep the staging directory {shown}"));
        let found = builds
            .place()
            .look(staged.name())
            .doing(format!("look at the staging directory {shown}"))?
            .ok_or_else(unusual)?;
        let prefix = builds.place().beside_named(STAGING_SUFFIX);
        let unique = staged.name().to_str().zip(prefix.to_str());
        let unique = unique.and_then(|(name, prefix)| name.strip_prefix(prefix));
        Ok(KeptDirectory {
            builds: builds.path().to_str().ok_or_else(unusual)?.to_owned(),
            unique: unique.ok_or_else(unusual)?.to_owned(),
            owner: (found.st_uid, found.st_gid),
            mode: found.st_mode,
        })
    }

    /// The builds directory that it is beside.
    #[must_use]
    pub fn builds(&self) -> &str {
        &self.builds
    }

    /// Whether it is beside `builds`.
    #[must_use]
    pub fn is_beside(&self, builds: &BuildsDirectory) -> bool {
        self.name(builds).is_some()
    }

    /// Its name beside `builds`; none if that is another builds directory, or if the record is not ours.
    fn name(&self, builds: &BuildsDirectory) -> Option<OsString> {
        let is_ours = self.unique.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_here = builds.path().to_str() == Some(&self.builds);
        let suffix = format!("{KEPT_SUFFIX}{}", self.unique);
        (is_here && is_ours && !self.unique.is_empty())
            .then(|| builds.place().beside_named(&suffix))
    }

    /// Gives `staged` its name as a kept directory. It is not removed any more.
    pub fn keep(&self, staged: &mut StagedDirectory, builds: &BuildsDirectory) -> Result<()> {
        let name = self.name(builds).ok_or_else(|| self.elsewhere(builds))?;
        builds.place().rename(staged.name(), &name)?;
        staged.published();
        builds
            .place()
            .sync()
            .doing(format!("sync the directory of {}", builds.path().display()))?;
        failpoint::reached("staging directory kept");
        Ok(())
    }

    /// Opens it for a publish. An error unless it is as it was when it was kept.
    pub fn open(&self, builds: &BuildsDirectory) -> Result<StagedDirectory> {
        let name = self.name(builds).ok_or_else(|| self.elsewhere(builds))?;
        let place = builds.place();
        let shown = place.shown(&name);
        let shown = shown.display();
        let unreadable = |cause: io::Error| {
            altered(&format!("cannot open its traces in {shown}: {cause}")).caused_by(cause)
        };
        let found = place.look(&name).map_err(unreadable)?;
        let found = found.ok_or_else(|| altered(&format!("{shown} does not exist any more")))?;
        if !is_directory(&found) {
            return Err(altered(&format!("{shown} is not a directory")));
        }
        if (found.st_uid, found.st_gid) != self.owner || found.st_mode != self.mode {
            return Err(altered(&format!("{shown} has another owner or mode")));
        }
        let directory = place.open_directory(&name).map_err(unreadable)?;
        Ok(StagedDirectory::of_kept(builds, name, directory))
    }

    /// Removes it, if it exists beside `builds`.
    pub fn remove(&self, builds: &BuildsDirectory) -> Result<()> {
        let Some(name) = self.name(builds) else {
            return Ok(());
        };
        if builds.place().has_directory(&name) {
            builds.place().remove_tree(&name)?;
            failpoint::reached("kept directory removed");
        }
        Ok(())
    }

    fn elsewhere(&self, builds: &BuildsDirectory) -> Error {
        let kept = &self.builds;
        Error::usage(format!(
            "its traces are beside {kept}, not beside {}",
            builds.path().display()
        ))
        .hint(format!("add --builds-path {kept}"))
    }
}

/// Where kept traces are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptPlace {
    /// In a directory beside the builds directory.
    Directory(KeptDirectory),
    /// Below the prefix of their import, with this URL.
    Prefix(String),
}

impl KeptPlace {
    /// What the record of `staged` says, which is for `builds`.
    pub fn of(staged: &StagedTraces, builds: &Builds) -> Result<KeptPlace> {
        match (staged, builds) {
            (StagedTraces::Directory(staged), Builds::Directory(builds)) => {
                KeptDirectory::of(staged, builds).map(KeptPlace::Directory)
            }
            (StagedTraces::Prefix(staged), _) => Ok(KeptPlace::Prefix(staged.url().to_string())),
            (StagedTraces::Directory(_), Builds::Prefix(_)) => {
                Err(Error::failed("the staged traces are in another place"))
            }
        }
    }

    /// The URL of the prefix, if it is one.
    #[must_use]
    pub fn url(&self) -> Option<&String> {
        match self {
            KeptPlace::Directory(_) => None,
            KeptPlace::Prefix(url) => Some(url),
        }
    }

    /// What --builds-path names then.
    #[must_use]
    pub fn builds(&self) -> &str {
        match self {
            KeptPlace::Directory(directory) => directory.builds(),
            KeptPlace::Prefix(url) => root_of(url),
        }
    }

    /// Has `staged` stay. It is not removed any more.
    pub fn keep(&self, staged: &mut StagedTraces, builds: &Builds) -> Result<()> {
        match (self, staged, builds) {
            (
                KeptPlace::Directory(kept),
                StagedTraces::Directory(staged),
                Builds::Directory(builds),
            ) => kept.keep(staged, builds),
            (_, staged, _) => {
                staged.published();
                Ok(())
            }
        }
    }

    /// Opens it for a publish. An error unless it is as it was when it was kept.
    pub fn open(&self, builds: &Builds) -> Result<StagedTraces> {
        match (self, builds) {
            (KeptPlace::Directory(kept), Builds::Directory(builds)) => {
                kept.open(builds).map(StagedTraces::Directory)
            }
            (KeptPlace::Prefix(url), Builds::Prefix(prefix)) => {
                Ok(StagedTraces::Prefix(Box::new(prefix.kept(url)?)))
            }
            _ => Err(Error::usage(format!(
                "its traces are in {}, not in {builds}",
                self.builds()
            ))
            .hint(format!("add --builds-path {}", self.builds()))),
        }
    }

    /// Removes it. False if it does not belong to `builds`: then it is still there.
    pub fn remove(&self, builds: &Builds) -> Result<bool> {
        match (self, builds) {
            (KeptPlace::Directory(kept), Builds::Directory(builds)) if kept.is_beside(builds) => {
                kept.remove(builds).map(|()| true)
            }
            (KeptPlace::Prefix(url), Builds::Prefix(prefix)) => match prefix.of_import(url) {
                Some(objects) => remove_traces(&objects).map(|()| true),
                None => Ok(false),
            },
            _ => Ok(false),
        }
    }
}

fn is_directory(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode).is_dir()
}

/// The error if what is kept is not what was loaded any more.
fn altered(what: &str) -> Error {
    Error::failed(format!("it is not what was loaded any more: {what}"))
        .hint("import the archive again; the import removes what is kept")
}
