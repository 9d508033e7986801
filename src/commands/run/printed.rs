//! Prints what a command has to say at its end.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::ui::terminal;

/// What is printed to standard output.
pub(super) enum Printed {
    /// A text.
    Text(String),
    /// JSON.
    Json(Value),
}

impl Printed {
    /// Prints it.
    pub(super) fn print(&self) -> Result<()> {
        match self {
            Printed::Text(text) => terminal::print(text),
            Printed::Json(json) => terminal::print_json(json),
        }
    }
}

/// Prints the report of a command that changed something; its files are `written`. If that fails, the change is done all the same: the
/// error says so first, with `done`, and gives `hint`.
pub(super) fn print_report(
    report: &Printed,
    written: Result<()>,
    done: &str,
    hint: &str,
) -> Result<()> {
    report.print().and(written).map_err(|error| {
        Error::failed(format!("{done}; only the report is missing: {error}"))
            .caused_by(error)
            .hint(hint)
    })
}
