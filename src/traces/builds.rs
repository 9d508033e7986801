//! Where build traces go, and where they are: a directory, or a prefix of an object storage.

use std::fmt;
use std::io::Read;

use super::compare::{self, Measured, TraceFindings};
use super::directory::{BuildsDirectory, BuildsLock, StagedDirectory};
use super::extract::{self, TraceSummary, Wanted};
use super::prefix::{self, BuildsPrefix, StagedPrefix};
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::resources::Resources;
use crate::storage::Objects;
use crate::ui::counts::Counts;

/// Where the traces of imports go.
#[derive(Debug, Clone)]
pub enum Builds {
    /// GitLab's builds directory.
    Directory(BuildsDirectory),
    /// A prefix of an object storage, below which each import has its own.
    Prefix(BuildsPrefix),
}

impl Builds {
    /// The directory, if it is one.
    #[must_use]
    pub fn directory(&self) -> Option<&BuildsDirectory> {
        match self {
            Builds::Directory(directory) => Some(directory),
            Builds::Prefix(_) => None,
        }
    }

    /// The prefix, if it is one.
    #[must_use]
    pub fn prefix(&self) -> Option<&BuildsPrefix> {
        match self {
            Builds::Directory(_) => None,
            Builds::Prefix(prefix) => Some(prefix),
        }
    }

    /// Takes the lock of a directory. Imports never write below the same prefix.
    pub fn lock(&self) -> Result<Option<BuildsLock>> {
        self.directory().map(BuildsDirectory::lock).transpose()
    }

    /// Makes the place for the traces of an import.
    pub fn stage(&self) -> Result<StagedTraces> {
        Ok(match self {
            Builds::Directory(directory) => StagedTraces::Directory(directory.stage()?),
            Builds::Prefix(prefix) => StagedTraces::Prefix(Box::new(prefix.stage()?)),
        })
    }

    /// The live traces. `recorded` is the prefix that is live by the record of the target.
    pub fn live(&self, recorded: Option<&str>) -> Result<LiveTraces> {
        let prefix = match self {
            Builds::Directory(directory) => return Ok(LiveTraces::Directory(directory.clone())),
            Builds::Prefix(prefix) => prefix,
        };
        let live = recorded.ok_or_else(|| {
            Error::usage(format!("no traces below {prefix} are live in the target"))
                .hint("--builds-path names where the import has put them")
        })?;
        prefix.complete(live).map(LiveTraces::Prefix)
    }
}

impl fmt::Display for Builds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Builds::Directory(directory) => directory.path().display().fmt(f),
            Builds::Prefix(prefix) => prefix.fmt(f),
        }
    }
}

/// The traces of an import that nobody sees yet. They are removed if it is dropped without being published.
#[derive(Debug)]
pub enum StagedTraces {
    /// In a directory beside the builds directory.
    Directory(StagedDirectory),
    /// Below a prefix of their own.
    Prefix(Box<StagedPrefix>),
}

impl StagedTraces {
    /// The directory, if it is one.
    #[must_use]
    pub fn directory(&self) -> Option<&StagedDirectory> {
        match self {
            StagedTraces::Directory(directory) => Some(directory),
            StagedTraces::Prefix(_) => None,
        }
    }

    /// The URL of the prefix, if it is one.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        match self {
            StagedTraces::Directory(_) => None,
            StagedTraces::Prefix(prefix) => Some(prefix.url().to_string()),
        }
    }

    /// Writes the traces of `inflated`, a tar, into it.
    pub fn fill(
        &self,
        inflated: &mut dyn Read,
        resources: &Resources,
        wanted: Wanted,
        counts: &Counts,
        cancellation: &Cancellation,
    ) -> Result<TraceSummary> {
        match self {
            StagedTraces::Directory(directory) => {
                extract::extract(inflated, directory, resources, wanted, counts, cancellation)
            }
            StagedTraces::Prefix(staged) => {
                prefix::send(inflated, staged, wanted, counts, cancellation)
            }
        }
    }

    /// Measures what was written; with `digest` it reads it. `check` can stop it.
    pub fn measure(&self, digest: bool, check: &dyn Fn() -> Result<()>) -> Result<Measured> {
        match self {
            StagedTraces::Directory(directory) => {
                directory.work(|| compare::measure(directory.directory(), digest, check))
            }
            StagedTraces::Prefix(staged) => prefix::measure(staged.objects(), digest, check),
        }
    }

    /// Prepares it for its publish.
    pub fn finish(&self) -> Result<()> {
        self.directory().map_or(Ok(()), StagedDirectory::finish)
    }

    /// From here on, it stays if this process is killed, unless the journal or the next import says otherwise: it may be live
    /// then, or kept.
    pub fn leave_if_killed(&self) {
        if let StagedTraces::Prefix(prefix) = self {
            prefix.leave_if_killed();
        }
    }

    /// Says that it was published, and must not be removed.
    pub fn published(&mut self) {
        match self {
            StagedTraces::Directory(directory) => directory.published(),
            StagedTraces::Prefix(prefix) => prefix.published(),
        }
    }
}

/// Traces that are live.
#[derive(Debug, Clone)]
pub enum LiveTraces {
    /// Those in a builds directory.
    Directory(BuildsDirectory),
    /// Those below the prefix of an import.
    Prefix(Objects),
}

impl LiveTraces {
    /// Compares `inflated`, a tar of traces, with them, byte for byte. `check` can stop it.
    pub fn compare(
        &self,
        inflated: &mut dyn Read,
        wanted: Wanted,
        check: &(dyn Fn() -> Result<()> + Sync),
        counts: &Counts,
    ) -> Result<TraceFindings> {
        match self {
            LiveTraces::Directory(builds) => {
                compare::compare(inflated, builds, wanted, check, counts)
            }
            LiveTraces::Prefix(objects) => {
                prefix::compare(inflated, objects, wanted, check, counts)
            }
        }
    }
}
