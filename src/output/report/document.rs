//! What all formats of a report are made of: the document, as `schemas/report-1.json` describes it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::Error;
use crate::ui::times::PartTime;

/// The version of the document. It changes when a key gets another meaning or is no longer there.
pub(super) const VERSION: u32 = 1;

/// What the document says that it is.
pub(super) const FORMAT: &str = "ci-import report";

/// A command that has a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// The import.
    Import,
    /// `ci-import publish`.
    Publish,
    /// `ci-import verify`.
    Verify,
    /// `ci-import check`.
    Check,
}

impl Command {
    fn name(self) -> &'static str {
        match self {
            Command::Import => "import",
            Command::Publish => "publish",
            Command::Verify => "verify",
            Command::Check => "check",
        }
    }
}

/// What a command was asked to do, as it was named.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The archive or dump; empty for `publish`.
    pub input: String,
    /// The target, without a password; empty if the environment names it.
    pub target: String,
}

/// How a command has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Done,
    /// What was to be imported is live already (`--once`).
    AlreadyLive,
    /// An import is done, but with `--strict` a changed value counts as a failure.
    Changed,
    /// `verify` has found a difference.
    Differs,
    /// `check` has found that an import would fail.
    NotReady,
    /// It failed.
    Failed,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::AlreadyLive => "already live",
            Outcome::Changed => "changed",
            Outcome::Differs => "differs",
            Outcome::NotReady => "not ready",
            Outcome::Failed => "failed",
        }
    }
}

/// What a command says of itself at its end.
#[derive(Debug)]
pub struct Ended<'a> {
    /// How it has ended.
    pub outcome: Outcome,
    /// The exit code.
    pub exit_code: u8,
    /// Why it failed, and whether values of rows may be shown.
    pub error: Option<(&'a Error, bool)>,
    /// When the parts of the work began and ended.
    pub parts: Vec<PartTime>,
    /// When each table was read: its name, begin and end.
    pub tables: Vec<(String, Duration, Duration)>,
    /// Commands that go back: what each is for, and the command.
    pub go_back: Vec<(String, String)>,
    /// What the command prints with `--json`.
    pub result: Option<Value>,
}

impl Ended<'_> {
    /// With nothing but this said of it.
    #[must_use]
    pub fn with(outcome: Outcome, exit_code: u8) -> Self {
        Ended {
            outcome,
            exit_code,
            error: None,
            parts: Vec::new(),
            tables: Vec::new(),
            go_back: Vec::new(),
            result: None,
        }
    }
}

/// The document.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) command: Command,
    pub(super) subject: &'a Subject,
    pub(super) started_at: Timestamp,
    pub(super) elapsed: Duration,
    pub(super) ended: Ended<'a>,
}

impl Document<'_> {
    /// As JSON. Times since the start are in seconds.
    pub(super) fn to_json(&self) -> Value {
        let Ended {
            outcome,
            exit_code,
            error,
            parts,
            tables,
            go_back,
            result,
        } = &self.ended;
        let second = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let ended_at =
            self.started_at + jiff::SignedDuration::try_from(self.elapsed).unwrap_or_default();
        let commit = Some(env!("CI_IMPORT_COMMIT")).filter(|commit| !commit.is_empty());
        let tables_read = tables.iter().map(|(table, begin, end)| {
            json!({"table": table, "begin": begin.as_secs_f64(), "end": end.as_secs_f64()})
        });
        let go_back = go_back.iter();
        let go_back = go_back.map(|(what, command)| json!({"what": what, "command": command}));
        json!({
            "format": FORMAT,
            "version": VERSION,
            "program": {
                "version": env!("CARGO_PKG_VERSION"),
                "commit": commit,
                "system": env!("CI_IMPORT_TARGET"),
            },
            "command": self.command.name(),
            "input": self.subject.input,
            "target": self.subject.target,
            "outcome": outcome.name(),
            "exit_code": exit_code,
            "try_again": error.is_some_and(|(error, _)| error.kind().is_worth_another_try()),
            "started_at": second(self.started_at),
            "ended_at": second(ended_at),
            "seconds": self.elapsed.as_secs_f64(),
            "error": error.map(|(error, shows_values)| json!({
                "message": error.told(shows_values),
                "lines": error.list(),
                "hint": error.hint_text(),
            })),
            "parts": parts.iter().map(PartTime::to_json).collect::<Value>(),
            "tables_read": tables_read.collect::<Value>(),
            "go_back": go_back.collect::<Value>(),
            "result": result,
        })
    }
}
