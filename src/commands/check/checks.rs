//! A list of checks and their results, as text and JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::ui::shown::write_line;

/// The result of a check.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The check has passed. The text says what was found.
    Fine(String),
    /// The import would work, but the user should know this.
    Note(String),
    /// The import would fail.
    Failed(Error),
}

/// The checks, in their order.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    list: Vec<(&'static str, Outcome)>,
    /// Whether values of rows may be shown.
    pub show_values: bool,
}

impl Checks {
    /// Adds a check that has passed or failed, as `result` says. Returns the value if it has passed.
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

    /// Adds a note that the user should know.
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

    /// As JSON.
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
                    "what": error.told(self.show_values),
                    "list": error.list(),
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
                Outcome::Fine(what) => write_line!(f, "{name:18} ok      {what}")?,
                Outcome::Note(what) => write_line!(f, "{name:18} note    {what}")?,
                Outcome::Failed(error) => {
                    write_line!(f, "{name:18} FAILED  {}", error.told(self.show_values))?;
                    for line in error.list() {
                        write_line!(f, "{:24}{line}", "")?;
                    }
                    if let Some(hint) = error.hint_text() {
                        write_line!(f, "{:26} hint: {hint}", "")?;
                    }
                }
            }
        }
        let verdict = match self.failure() {
            None => "ready to import; nothing was changed",
            Some(_) => "not ready: the import would fail",
        };
        writeln!(f)?;
        write_line!(f, "{verdict}")
    }
}
