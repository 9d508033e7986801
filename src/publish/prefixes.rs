//! Which prefixes of an object storage have build traces: part of the record of a publish.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::storage::Objects;
use crate::traces::{Builds, BuildsPrefix, StagedTraces, canonical};

/// The URLs of the prefixes of imports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PrefixRecord {
    /// The one with the live traces; none if they are in a directory, or nowhere.
    pub(crate) live: Option<String>,
    /// The one that was live before, and is again after a rollback.
    pub(crate) previous: Option<String>,
    /// Those before, whose tables were dropped.
    pub(crate) older: Vec<String>,
}

/// The URL of a prefix, and its objects.
pub(crate) type Prefix = (String, Objects);

impl PrefixRecord {
    /// The same with the one text of each URL: whoever owns the record may have written another.
    pub(super) fn canonical(self) -> PrefixRecord {
        PrefixRecord {
            live: self.live.map(|url| canonical(&url)),
            previous: self.previous.map(|url| canonical(&url)),
            older: self.older.iter().map(|url| canonical(url)).collect(),
        }
    }

    /// What it is after a publish with these traces, if it has any.
    pub(crate) fn after(&self, traces: Option<&StagedTraces>) -> PrefixRecord {
        let live = match traces {
            None => self.live.clone(),
            Some(traces) => traces.url(),
        };
        let mut older = self.older.clone();
        let was = self.previous.iter();
        older.extend(was.filter(|was| self.live.as_ref() != Some(was)).cloned());
        PrefixRecord {
            live,
            previous: self.live.clone(),
            older,
        }
    }

    /// What it is after a rollback.
    pub(crate) fn reversed(&self) -> PrefixRecord {
        PrefixRecord {
            live: self.previous.clone(),
            previous: self.live.clone(),
            older: self.older.clone(),
        }
    }

    /// What it is after a discard.
    pub(crate) fn only_live(&self) -> PrefixRecord {
        PrefixRecord {
            live: self.live.clone(),
            ..PrefixRecord::default()
        }
    }

    /// Whether it knows nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == PrefixRecord::default()
    }

    /// The prefix that a publish of traces has replaced, or a rollback would.
    pub(crate) fn replaced(&self) -> Option<&String> {
        self.previous
            .as_ref()
            .filter(|previous| self.live.as_ref() != Some(previous))
    }

    /// Those that are not live.
    pub(crate) fn aside(&self) -> impl Iterator<Item = &String> {
        let others = self.replaced().into_iter().chain(&self.older);
        others.filter(|url| self.live.as_ref() != Some(url))
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &String> {
        self.live.iter().chain(&self.previous).chain(&self.older)
    }

    /// The prefix with the traces of the last publish itself, if it had some and put them into a storage.
    pub(crate) fn of_publish(&self) -> Option<String> {
        self.live
            .clone()
            .filter(|live| self.previous.as_ref() != Some(live))
    }

    /// An error if a rollback would make traces live that are not complete.
    pub(crate) fn check_return(&self, builds: Option<&Builds>) -> Result<()> {
        let Some(previous) = self.replaced() else {
            return Ok(());
        };
        match builds {
            Some(Builds::Prefix(prefix)) => prefix.complete(previous),
            _ => BuildsPrefix::of_live(previous)?.complete(previous),
        }
        .map(|_| ())
    }
}

/// Where traces are, for messages: below `prefix`, in `directory`, or one is live and the other lies there from before.
pub(crate) fn both(prefix: Option<&String>, directory: Option<String>) -> Option<String> {
    match (prefix, directory) {
        (Some(prefix), Some(directory)) => Some(format!("{prefix} and {directory}")),
        (prefix, directory) => prefix.cloned().or(directory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(live: Option<&str>, previous: Option<&str>, older: &[&str]) -> PrefixRecord {
        PrefixRecord {
            live: live.map(str::to_owned),
            previous: previous.map(str::to_owned),
            older: older.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn what_is_live_stays_known() {
        // Of a dump, which has no traces.
        let before = record(Some("b"), Some("a"), &["z"]);
        let after = before.after(None);
        assert_eq!(after, record(Some("b"), Some("b"), &["z", "a"]));
        assert_eq!(after.replaced(), None);
        assert_eq!(after.aside().collect::<Vec<_>>(), ["z", "a"]);
        assert_eq!(after.reversed(), after);
        assert_eq!(after.after(None), after);
        assert_eq!(after.only_live(), record(Some("b"), None, &[]));
        assert!(PrefixRecord::default().after(None).is_empty());
        // There and back.
        assert_eq!(before.reversed().reversed(), before);
        assert_eq!(before.of_publish().as_deref(), Some("b"));
        assert_eq!(after.of_publish(), None);
        assert_eq!(before.reversed(), record(Some("a"), Some("b"), &["z"]));
        assert_eq!(before.aside().collect::<Vec<_>>(), ["a", "z"]);
    }
}
