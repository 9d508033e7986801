//! Builds of which there is no trace: neither in the table nor in a file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rustix::fd::{AsFd, OwnedFd};

use super::BuildsDirectory;
use crate::error::{Doing, Result};
use crate::files::open_below;

/// A build whose row has no trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildWithout {
    /// The month in which it was created, `YYYY_MM`; none if the row does not say it.
    pub month: Option<String>,
    /// Its project's number in CI.
    pub project: Option<i64>,
    /// Its number.
    pub id: i64,
    /// Whether it has ever started: one that was canceled before has no trace anywhere.
    pub has_run: bool,
}

/// How many builds have no trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Without {
    /// All of them.
    pub builds: u64,
    /// Those that have run.
    pub have_run: u64,
}

/// Looks for the files of builds whose rows have no trace, and counts those that have none, for each month.
#[derive(Debug)]
pub struct WithoutTrace {
    /// The builds directory; none if it does not exist.
    directory: Option<OwnedFd>,
    shown: PathBuf,
    /// By the month in which they were created.
    pub months: BTreeMap<Option<String>, Without>,
}

impl WithoutTrace {
    /// Begins, with the files in `builds`.
    pub fn of(builds: &BuildsDirectory) -> Result<WithoutTrace> {
        let shown = builds.path().to_owned();
        let directory = builds.place().live();
        Ok(WithoutTrace {
            directory: directory.doing(format!("read {}", shown.display()))?,
            shown,
            months: BTreeMap::new(),
        })
    }

    /// Counts `build` if it has no file.
    pub fn add(&mut self, build: BuildWithout) -> Result<()> {
        if self.has_file(&build)? {
            return Ok(());
        }
        let without = self.months.entry(build.month).or_default();
        without.builds += 1;
        without.have_run += u64::from(build.has_run);
        Ok(())
    }

    /// All months together.
    #[must_use]
    pub fn all(&self) -> Without {
        let months = self.months.values();
        months.fold(Without::default(), |all, month| Without {
            builds: all.builds + month.builds,
            have_run: all.have_run + month.have_run,
        })
    }

    /// GitLab CI 8.0 writes the trace of a build to `YYYY_MM/<project>/<build>.log`.
    fn has_file(&self, build: &BuildWithout) -> Result<bool> {
        let (Some(root), Some(month), Some(project)) =
            (&self.directory, &build.month, build.project)
        else {
            return Ok(false);
        };
        let path = PathBuf::from(format!("{month}/{project}/{}.log", build.id));
        let found = open_below(root.as_fd(), &path);
        let found = found.doing(format!("read {}", self.shown.join(&path).display()))?;
        Ok(found.is_some())
    }
}
