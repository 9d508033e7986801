//! Where traces are that are not live any more, and what becomes of them in a discard.

use std::ffi::OsString;

use super::aside::aside_name;
use super::prefixes::{Prefix, PrefixRecord};
use super::record::{DirectoriesRecord, Record};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::traces::{Builds, BuildsDirectory, remove_traces, root_of};
use crate::ui::terminal;

/// Traces that are not live.
pub(crate) struct TracesAside<'a> {
    /// Directories that exist, each beside its builds directory.
    directories: Vec<(&'a BuildsDirectory, OsString)>,
    prefixes: Vec<Prefix>,
    /// What lies elsewhere, and stays: where, and what --builds-path is for it.
    left: Vec<(String, String)>,
    /// What is left of the record after a discard; none if it leads to nothing.
    pub(crate) rest: Option<Record>,
}

impl TracesAside<'_> {
    /// The paths and URLs of what is removed.
    pub(crate) fn shown(&self) -> Vec<String> {
        let directories = self.directories.iter().map(|(builds, name)| {
            let shown = builds.place().shown(name);
            shown.display().to_string()
        });
        let prefixes = self.prefixes.iter().map(|(url, _)| url.clone());
        directories.chain(prefixes).collect()
    }

    /// Removes what is there, and tells what is left.
    pub(crate) fn remove(&self) -> Result<()> {
        for (builds, name) in &self.directories {
            builds.place().remove_tree(name)?;
            failpoint::reached("old directory removed");
        }
        for (_, objects) in &self.prefixes {
            remove_traces(objects)?;
            failpoint::reached("old traces in the storage removed");
        }
        for (place, builds) in &self.left {
            terminal::warn(
                Code::TracesRemain,
                &format!(
                    "{place} stay; ci-import discard with --builds-path {builds} removes them"
                ),
            );
        }
        Ok(())
    }
}

impl Record {
    /// The traces that are not live, for a discard with `builds`. An error if none of them, nor the live ones, are there.
    pub(crate) fn traces_aside<'a>(&self, builds: Option<&'a Builds>) -> Result<TracesAside<'a>> {
        let mut traces = TracesAside {
            directories: Vec::new(),
            prefixes: Vec::new(),
            left: Vec::new(),
            rest: None,
        };
        let mut is_here = self.is_live_in(builds);
        let mut elsewhere = Vec::new();
        for record in self.directories() {
            match directory_at(builds, &record.path) {
                Some(builds) => {
                    is_here = true;
                    let names = record.epochs.iter();
                    let names = names.map(|epoch| aside_name(builds, *epoch));
                    let there = names.filter(|name| builds.place().has_directory(name));
                    traces.directories.extend(there.map(|name| (builds, name)));
                }
                None => elsewhere.push(record),
            }
        }
        let mut older = Vec::new();
        for url in self.prefixes.aside() {
            let prefix = builds.and_then(Builds::prefix);
            match prefix.and_then(|prefix| prefix.of_import(url)) {
                Some(objects) => {
                    is_here = true;
                    traces.prefixes.push((url.clone(), objects));
                }
                None => older.push(url.clone()),
            }
        }
        let left = elsewhere.iter().map(|record| {
            (
                format!("replaced traces beside {}", record.path),
                record.path.clone(),
            )
        });
        let urls = older.iter();
        let urls = urls.map(|url| (format!("the traces in {url}"), root_of(url).to_owned()));
        traces.left = left.chain(urls).collect();
        if let Some((_, place)) = traces.left.first().filter(|_| !is_here) {
            return Err(not_here(place, builds));
        }
        let rest = Record {
            schema: self.schema.clone(),
            prefixes: PrefixRecord {
                older,
                ..self.prefixes.only_live()
            },
            elsewhere,
            ..Record::default()
        };
        traces.rest = (!rest.knows_nothing()).then_some(rest);
        Ok(traces)
    }

    /// All replaced directories that are known.
    pub(crate) fn directories(&self) -> Vec<DirectoriesRecord> {
        let mut all = self.elsewhere.clone();
        if let Some(builds) = &self.builds {
            let epochs = self.older_builds.iter().chain(&builds.previous);
            all.push(DirectoriesRecord {
                path: builds.path.clone(),
                epochs: epochs.copied().collect(),
            });
        }
        all.retain(|record| !record.epochs.is_empty());
        all
    }

    /// The epochs of the replaced directories beside `builds`, and the directories beside others.
    pub(crate) fn older_directories(
        &self,
        builds: Option<&BuildsDirectory>,
    ) -> (Vec<u64>, Vec<DirectoriesRecord>) {
        let is_here = |record: &DirectoriesRecord| {
            builds.is_some_and(|builds| builds.path().to_string_lossy() == record.path)
        };
        let (here, elsewhere): (Vec<_>, Vec<_>) = self.directories().into_iter().partition(is_here);
        let epochs = here.into_iter().flat_map(|record| record.epochs);
        (epochs.collect(), elsewhere)
    }

    /// Whether the live traces are in `builds`.
    fn is_live_in(&self, builds: Option<&Builds>) -> bool {
        match builds {
            None => false,
            Some(Builds::Directory(directory)) => {
                let path = directory.path().to_string_lossy();
                self.builds
                    .as_ref()
                    .is_some_and(|record| record.path == path)
            }
            Some(Builds::Prefix(prefix)) => {
                let live = self.prefixes.live.as_ref();
                live.is_some_and(|live| prefix.of_import(live).is_some())
            }
        }
    }
}

/// `builds`, if it is the directory at `path`.
fn directory_at<'a>(builds: Option<&'a Builds>, path: &str) -> Option<&'a BuildsDirectory> {
    let directory = builds.and_then(Builds::directory);
    directory.filter(|directory| directory.path().to_string_lossy() == path)
}

/// The error for traces that an import has put into `place`, and not into `builds`.
fn not_here(place: &str, builds: Option<&Builds>) -> Error {
    let told = format!("the import put its build traces into {place}");
    let error = match builds {
        None => Error::usage(told),
        Some(builds) => Error::usage(format!("{told}, not into {builds}")),
    };
    error.hint(format!("add --builds-path {place}"))
}
