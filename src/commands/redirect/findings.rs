//! What the check of a redirect has found, as text and JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::ui::shown::write_line;

/// What came back for a request.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// As it should be.
    Fine(String),
    /// It works, but the user should know this.
    Note(String),
    /// It does not work: what came back, and what to do.
    Failed(String, String),
}

/// The findings, in their order.
#[derive(Debug, Clone, Default)]
pub struct Findings(Vec<(&'static str, Outcome)>);

impl Findings {
    /// Adds one.
    pub(super) fn add(&mut self, check: &'static str, outcome: Outcome) {
        self.0.push((check, outcome));
    }

    /// Whether nothing has to be fixed.
    #[must_use]
    pub fn works(&self) -> bool {
        let mut outcomes = self.0.iter().map(|(_, outcome)| outcome);
        !outcomes.any(|outcome| matches!(outcome, Outcome::Failed(..)))
    }

    /// The first one that must be fixed.
    pub(in crate::commands) fn first_failure(&self) -> Option<String> {
        self.0.iter().find_map(|(check, outcome)| match outcome {
            Outcome::Failed(what, _) => Some(format!("{check}: {what}")),
            _ => None,
        })
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checks = self.0.iter().map(|(check, outcome)| {
            let (word, what, hint) = match outcome {
                Outcome::Fine(what) => ("ok", what, None),
                Outcome::Note(what) => ("note", what, None),
                Outcome::Failed(what, hint) => ("failed", what, Some(hint)),
            };
            json!({"check": check, "outcome": word, "what": what, "hint": hint})
        });
        json!({"works": self.works(), "checks": checks.collect::<Vec<_>>()})
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, outcome) in &self.0 {
            match outcome {
                Outcome::Fine(what) => write_line!(f, "{check:22} ok      {what}")?,
                Outcome::Note(what) => write_line!(f, "{check:22} note    {what}")?,
                Outcome::Failed(what, hint) => {
                    write_line!(f, "{check:22} FAILED  {what}")?;
                    write_line!(f, "{:30} hint: {hint}", "")?;
                }
            }
        }
        let verdict = if self.works() {
            "the redirect works; nothing was changed"
        } else {
            "the redirect does not work yet; nothing was changed"
        };
        writeln!(f)?;
        write_line!(f, "{verdict}")
    }
}
