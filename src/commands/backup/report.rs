//! What a backup has made.

use std::fmt;

use serde_json::{Value, json};

use crate::commands::import::report::Changes;
use crate::error::codes::Code;
use crate::output::Place;
use crate::ui::numbers::grouped;
use crate::ui::shown::{line, shell_word};

/// A complete archive.
#[derive(Debug)]
pub struct Made {
    /// Where it is; none if it went to standard output.
    pub place: Option<Place>,
    /// Its size in bytes.
    pub bytes: u64,
    /// The server that it was made from.
    pub server: String,
    /// The version of GitLab CI in it.
    pub version: String,
    /// The tables and their rows, as they were read back.
    pub tables: Vec<(String, u64)>,
    /// The traces and their bytes, as they were read back.
    pub traces: (u64, u64),
    /// What the conversion changed, if there was one.
    pub changes: Option<Changes>,
    /// What else is to be known.
    pub notes: Vec<(Code, String)>,
    /// Older archives that were removed.
    pub removed: Vec<String>,
}

impl Made {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let tables: Vec<Value> = self
            .tables
            .iter()
            .map(|(name, rows)| json!({"name": name, "rows": rows}))
            .collect();
        let notes = self.notes.iter();
        let notes = notes.map(|(code, what)| json!({"code": code, "what": what}));
        json!({
            "archive": self.place.as_ref().map(ToString::to_string),
            "bytes": self.bytes,
            "server": self.server,
            "version": self.version,
            "tables": tables,
            "traces": {"files": self.traces.0, "bytes": self.traces.1},
            "notes": notes.collect::<Vec<_>>(),
            "changes": self.changes.as_ref().map(ToString::to_string),
            "removed": self.removed,
        })
    }

    /// What comes next, and the line that does it.
    fn next(&self) -> Option<(&'static str, String)> {
        let place = self.place.as_ref()?;
        let word = shell_word(&place.to_string());
        Some(match place {
            Place::File(_) => (
                "copy it to the GitLab server (of an installation from source: to /home/git/gitlab/tmp/backups/)",
                format!("sudo scp {word} root@GITLAB:/var/opt/gitlab/backups/"),
            ),
            Place::Object(_) => (
                "on the GitLab server, see whether an import would succeed",
                format!("sudo ci-import check {word}"),
            ),
        })
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            let what = match place {
                Place::File(_) => "file",
                Place::Object(_) => "object",
            };
            writeln!(f, "Your final CI export is in the following {what}:")?;
            line(f, place)?;
            writeln!(f)?;
        }
        let rows: u64 = self.tables.iter().map(|(_, rows)| rows).sum();
        line(
            f,
            format_args!("GitLab CI {}, {}", self.version, self.server),
        )?;
        line(
            f,
            format_args!(
                "{} tables, {} rows; {} traces of {} bytes; the archive has {} bytes",
                self.tables.len(),
                grouped(rows),
                grouped(self.traces.0),
                grouped(self.traces.1),
                grouped(self.bytes)
            ),
        )?;
        writeln!(f, "read back to its end; no damage was found")?;
        for (code, note) in &self.notes {
            line(f, format_args!("note: {note} [{code}]"))?;
        }
        for name in &self.removed {
            line(f, format_args!("removed: {name}"))?;
        }
        if let Some(changes) = &self.changes {
            write!(f, "{changes}")?;
        }
        if let Some((what, next)) = self.next() {
            writeln!(f, "\nnext: {what}")?;
            line(f, format_args!("  {next}"))?;
            writeln!(
                f,
                "the key db_key_base is not in it; it must be the same there"
            )?;
        }
        Ok(())
    }
}
