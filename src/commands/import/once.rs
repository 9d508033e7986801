//! `--once`: an import of what is live already does nothing.

use std::fmt;

use serde_json::{Value, json};

use super::context::Import;
use crate::dump::Databases;
use crate::error::{Error, Result};
use crate::gitlab::content::Content;
use crate::input::whole::{Identifying, Whole, checksum};
use crate::publish::outcome::LiveInput;
use crate::server::LockedTarget;
use crate::traces::Builds;
use crate::ui::shown::line;

/// An import that found its input live.
#[derive(Debug)]
pub struct AlreadyLive {
    /// The name of the input.
    input: String,
    /// The target.
    target: String,
}

impl AlreadyLive {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "archive": self.input, "target": self.target, "already_live": true })
    }
}

impl fmt::Display for AlreadyLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AlreadyLive { input, target } = self;
        line(
            f,
            format_args!("{input} is live in {target} already; nothing was done"),
        )
    }
}

/// The bytes of an input that `--once` needs to know again.
pub(super) fn known_again(whole: Option<Whole>, input: &str) -> Result<Whole> {
    let whole = whole.filter(Whole::is_identified);
    whole.ok_or_else(|| {
        Error::usage(format!(
            "--once cannot tell whether {input} was imported before"
        ))
        .hint("it needs an archive or dump in one file, or an object with an ETag")
    })
}

/// What was found in the target.
pub(super) enum Found {
    /// The input is live.
    Live(AlreadyLive),
    /// Something else is, or nobody knows what. The identity of the input is being found out.
    Other(Identifying),
}

impl Import<'_> {
    /// Whether the input, with all bytes in `whole`, is live in `target`.
    pub(super) fn look_for(&self, target: &mut dyn LockedTarget, whole: Whole) -> Result<Found> {
        let beginning = whole.beginning();
        let identifying = whole.identify()?;
        let schema = target.schema(self.settings.schema.as_deref(), self.content)?;
        let live = target.live_input()?.filter(|live| {
            let recorded = &live.input.identity;
            let is_there =
                live.schema == schema || self.settings.policies.databases == Databases::All;
            recorded.starts_with(&beginning) && is_there
        });
        let live = match live {
            Some(live) if self.has_traces_of(&live)? => live,
            _ => return Ok(Found::Other(identifying)),
        };
        let meter = self.progress.steps("comparing the input with what is live");
        let identity = identifying.known()?;
        meter.complete();
        if self.recorded(&identity) != live.input.identity {
            return Ok(Found::Other(Identifying::Known(identity)));
        }
        Ok(Found::Live(AlreadyLive {
            input: self.input.clone(),
            target: self.destination.shown(),
        }))
    }

    /// What a record says of an input with this `identity`: of a dump also which of it becomes what.
    pub(super) fn recorded(&self, identity: &str) -> String {
        match self.content {
            Content::Backup => identity.to_owned(),
            Content::Dump => {
                let options = checksum(format!("{:?}", self.settings.policies).as_bytes());
                format!("{identity}, options {options}")
            }
        }
    }

    /// Whether the traces of what is `live` are where this import would put its own.
    fn has_traces_of(&self, live: &LiveInput) -> Result<bool> {
        match (&self.destination.builds, &live.builds) {
            (Some(Builds::Directory(builds)), Some(path)) => {
                Ok(builds.path().to_string_lossy() == path.as_str() && builds.place().is_live())
            }
            (Some(Builds::Prefix(prefix)), Some(url)) => prefix.has(url),
            (None, None) => Ok(true),
            _ => Ok(false),
        }
    }
}
