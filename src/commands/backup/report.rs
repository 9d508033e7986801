//! What a backup has made.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::commands::import::report::Changes;
use crate::error::codes::Code;
use crate::ui::numbers::grouped;
use crate::ui::shown::{line, shell_word};

/// A complete archive.
#[derive(Debug)]
pub struct Made {
    /// Where it is; none if it went to standard output.
    pub path: Option<PathBuf>,
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
            "archive": self.path,
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

    /// The line that copies the archive to the GitLab server.
    fn next(&self) -> Option<String> {
        let path = self.path.as_ref()?;
        Some(format!(
            "sudo scp {} root@GITLAB:/var/opt/gitlab/backups/",
            shell_word(&path.display().to_string())
        ))
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            writeln!(f, "Your final CI export is in the following file:")?;
            line(f, path.display())?;
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
        if let Some(next) = self.next() {
            writeln!(
                f,
                "\nnext: copy it to the GitLab server (of an installation from source: to /home/git/gitlab/tmp/backups/)"
            )?;
            line(f, format_args!("  {next}"))?;
            writeln!(
                f,
                "the key db_key_base is not in it; it must be the same there"
            )?;
        }
        Ok(())
    }
}
