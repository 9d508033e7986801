//! Build traces in an object storage: below a prefix of its own for each import, with a manifest that is written last.
//!
//! Nothing there is ever changed. Which import's prefix is live says the record of the publish, in the target.

mod manifest;
mod names;
mod read;
mod send;
mod staged;

use std::fmt;
use std::time::Duration;

use crate::archive::twice;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::storage::{DEFAULT_SECONDS, ObjectUrl, Objects, Scheme, Writing};
use crate::ui::terminal;

use names::{is_of_an_import, new_name};

pub(super) use manifest::MANIFEST;
pub(super) use read::{compare, measure};
pub(super) use send::send;
pub use staged::StagedPrefix;

/// The prefix below which each import has its own.
#[derive(Debug, Clone)]
pub struct BuildsPrefix {
    root: Objects,
}

impl BuildsPrefix {
    /// The one at `url`. A request is tried for as long as `writing` says. Nothing is asked yet.
    pub fn at(url: &ObjectUrl, writing: &Writing) -> Result<BuildsPrefix> {
        if url.scheme() == Scheme::Web {
            return Err(
                Error::usage(format!("{url}: a web server takes no traces")).hint(
                    "name a directory, or a prefix in an object storage: s3://BUCKET/PREFIX, gs://…, az://…",
                ),
            );
        }
        let root = Objects::below(&url.canonical().as_prefix(), writing)?;
        Ok(BuildsPrefix { root })
    }

    /// The one above `url`, which the record of a target names.
    pub(crate) fn of_live(url: &str) -> Result<BuildsPrefix> {
        let root = ObjectUrl::parse(root_of(url)).ok_or_else(|| elsewhere(url))??;
        let timeout = Duration::from_secs(DEFAULT_SECONDS.into());
        let writing = Writing::within(None, false, timeout);
        BuildsPrefix::at(&root, &writing)
    }

    /// Begins a prefix for an import. It is an error now if one may not write, list or remove there.
    pub fn stage(&self) -> Result<StagedPrefix> {
        StagedPrefix::begin(self.root.in_folder(&new_name()?).with_exists(twice))
    }

    /// The objects of the import whose prefix is `url`; none if it is not below this one.
    #[must_use]
    pub fn of_import(&self, url: &str) -> Option<Objects> {
        let url = canonical(url);
        let root = self.root.prefix().to_string();
        let name = url.strip_prefix(&root)?.strip_suffix('/')?;
        is_of_an_import(name).then(|| self.root.in_folder(name))
    }

    /// Whether `url` is the prefix of an import below this one, with all its traces.
    pub fn has(&self, url: &str) -> Result<bool> {
        let objects = self.of_import(url);
        objects.map_or(Ok(false), |objects| objects.has(MANIFEST))
    }

    /// The objects of the import whose prefix is `url`: an error if they are not complete, or not below this one.
    pub fn complete(&self, url: &str) -> Result<Objects> {
        let objects = self.of_import(url).ok_or_else(|| elsewhere(url))?;
        if objects.has(MANIFEST)? {
            return Ok(objects);
        }
        Err(Error::failed(format!("the traces in {url} are not complete: they have no {MANIFEST}"))
            .hint("somebody has removed it, or all of them; a copy of all objects below that prefix can be put back; with an empty object \
             manifest.jsonl there, a rollback goes back without them"))
    }

    /// The traces of an import that was kept. They stay if they are not published.
    pub(super) fn kept(&self, url: &str) -> Result<StagedPrefix> {
        self.complete(url).map(StagedPrefix::of_kept)
    }

    /// The URLs of the prefixes that imports have here.
    pub fn imports(&self) -> Result<Vec<String>> {
        let mut names = self.root.folders()?;
        names.retain(|name| is_of_an_import(name));
        let urls = names.iter().map(|name| self.root.in_folder(name));
        Ok(urls.map(|objects| objects.prefix().to_string()).collect())
    }

    /// Tells of those that are not `known` to the target. Another target may know them, or an import that is running, so
    /// nothing is removed.
    pub fn tell_unknown(&self, known: &[String]) {
        let found = match self.imports() {
            Ok(found) => found,
            Err(error) => {
                let what = format!("cannot look for traces that were left below {self}: {error}");
                return terminal::warn(Code::TracesRemain, &what);
            }
        };
        for url in found.iter().filter(|url| !known.contains(url)) {
            let what = format!(
                "{url} has traces that this target does not know: of another target, of an import that is running, or of \
                 one that was killed"
            );
            terminal::warn(Code::TracesRemain, &what);
        }
    }
}

/// The one text of the URL of a prefix; anything else as it is.
#[must_use]
pub fn canonical(url: &str) -> String {
    match ObjectUrl::parse(url) {
        Some(Ok(url)) => url.canonical().to_string(),
        _ => url.to_owned(),
    }
}

/// Removes the traces of an import. First they are not complete any more.
pub fn remove_traces(objects: &Objects) -> Result<()> {
    objects.remove(MANIFEST)?;
    objects.remove_all()
}

impl fmt::Display for BuildsPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.prefix().fmt(f)
    }
}

/// The error for traces in another place than the one that is named.
fn elsewhere(url: &str) -> Error {
    Error::usage(format!("the traces are in {url}, not below --builds-path"))
        .hint(format!("add --builds-path {}", root_of(url)))
}

/// What --builds-path was for an import whose prefix is `url`.
#[must_use]
pub fn root_of(url: &str) -> &str {
    let root = url.trim_end_matches('/').rsplit_once('/');
    root.map_or(url, |(root, _)| root)
}
