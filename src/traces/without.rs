//! Builds of which there is no trace: neither in the table nor in a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};

use super::LiveTraces;
use crate::error::{Doing, Result};
use crate::files::open_below;
use crate::storage::Looks;

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

/// Where the files are.
#[derive(Debug)]
enum Files {
    /// In a builds directory; none if it does not exist.
    In(Option<OwnedFd>, PathBuf),
    /// In an object storage.
    Objects(Looks<BuildWithout>),
}

/// Looks for the files of builds whose rows have no trace, and counts those that have none, for each month.
#[derive(Debug)]
pub struct WithoutTrace {
    files: Files,
    /// By the month in which they were created.
    pub months: BTreeMap<Option<String>, Without>,
}

impl WithoutTrace {
    /// Begins, with the files of `traces`.
    pub fn of(traces: &LiveTraces) -> Result<WithoutTrace> {
        let files = match traces {
            LiveTraces::Directory(builds) => {
                let shown = builds.path().to_owned();
                let directory = builds.place().live();
                let directory = directory.doing(format!("read {}", shown.display()))?;
                Files::In(directory, shown)
            }
            LiveTraces::Prefix(objects) => Files::Objects(Looks::into(objects)),
        };
        Ok(WithoutTrace {
            files,
            months: BTreeMap::new(),
        })
    }

    /// Counts `build` if it has no file.
    pub fn add(&mut self, build: BuildWithout) -> Result<()> {
        let months = &mut self.months;
        let Some(path) = path_of(&build) else {
            count(months, (build, false));
            return Ok(());
        };
        match &mut self.files {
            Files::In(root, shown) => {
                let found = root
                    .as_ref()
                    .map(|root| open_below(root.as_fd(), Path::new(&path)));
                let found = found.transpose();
                let found = found.doing(format!("read {}", shown.join(&path).display()))?;
                count(months, (build, found.flatten().is_some()));
                Ok(())
            }
            Files::Objects(looks) => looks.begin(&path, build, &mut |found| {
                count(months, found);
                Ok(())
            }),
        }
    }

    /// Waits until all are counted.
    pub fn end(&mut self) -> Result<()> {
        let months = &mut self.months;
        match &mut self.files {
            Files::In(..) => Ok(()),
            Files::Objects(looks) => looks.end(&mut |found| {
                count(months, found);
                Ok(())
            }),
        }
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
}

/// Counts a build, unless it has a file.
fn count(months: &mut BTreeMap<Option<String>, Without>, (build, has_file): (BuildWithout, bool)) {
    if has_file {
        return;
    }
    let without = months.entry(build.month).or_default();
    without.builds += 1;
    without.have_run += u64::from(build.has_run);
}

/// GitLab CI 8.0 writes the trace of a build to `YYYY_MM/<project>/<build>.log`.
fn path_of(build: &BuildWithout) -> Option<String> {
    let (month, project) = (build.month.as_ref()?, build.project?);
    Some(format!("{month}/{project}/{}.log", build.id))
}
