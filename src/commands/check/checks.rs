//! A list of checks and what came of them, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};

/// What came of a check.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// It is as it should be; what it is.
    Fine(String),
    /// It does not hinder the import, but should be known.
    Note(String),
    /// The import would fail.
    Failed(Error),
}

/// Checks, in the order they were made.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    list: Vec<(&'static str, Outcome)>,
}

impl Checks {
    /// Adds a check that is fine, or failed, as `result` says; returns what is fine.
    pub fn add<T>(
        &mut self,
        name: &'static str,
        result: Result<T>,
        tell: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                self.list.push((name, Outcome::Fine(tell(&value))));
                Some(value)
            }
            Err(error) => {
                self.list.push((name, Outcome::Failed(error)));
                None
            }
        }
    }

    /// Adds something that should be known.
    pub fn note(&mut self, name: &'static str, what: impl Into<String>) {
        self.list.push((name, Outcome::Note(what.into())));
    }

    /// The kind of the first failure, if there was one.
    #[must_use]
    pub fn failure(&self) -> Option<Kind> {
        self.list.iter().find_map(|(_, outcome)| match outcome {
            Outcome::Failed(error) => Some(error.kind()),
            _ => None,
        })
    }

    /// For a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checks: Vec<Value> = self
            .list
            .iter()
            .map(|(name, outcome)| match outcome {
                Outcome::Fine(what) => json!({"check": name, "outcome": "ok", "what": what}),
                Outcome::Note(what) => json!({"check": name, "outcome": "note", "what": what}),
                Outcome::Failed(error) => json!({
                    "check": name,
                    "outcome": "failed",
                    "what": error.to_string(),
                    "hint": error.hint_text(),
                }),
            })
            .collect();
        json!({"ready": self.failure().is_none(), "checks": checks})
    }
}

impl fmt::Display for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.list {
            match outcome {
                Outcome::Fine(what) => writeln!(f, "{name:18} ok      {what}")?,
                Outcome::Note(what) => writeln!(f, "{name:18} note    {what}")?,
                Outcome::Failed(error) => {
                    writeln!(f, "{name:18} FAILED  {error}")?;
                    if let Some(hint) = error.hint_text() {
                        writeln!(f, "{:26} hint: {hint}", "")?;
                    }
                }
            }
        }
        let verdict = match self.failure() {
            None => "ready to import; nothing was changed",
            Some(_) => "not ready: the import would fail",
        };
        writeln!(f, "\n{verdict}")
    }
}
