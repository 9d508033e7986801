//! `ci-import explain`: what the manual says of a code.

use std::fmt::Write as _;

use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::ui::terminal;

/// Explains the code `wanted`; without one, lists all of them.
pub fn run(wanted: Option<&str>) -> Result<()> {
    let text = match wanted {
        None => list(),
        Some(wanted) => {
            let code = Code::named(wanted).ok_or_else(|| unknown(wanted))?;
            format!("{}\n", code.explanation())
        }
    };
    terminal::print(&terminal::in_lines(&text))
}

/// Each code with the first sentence of its explanation.
fn list() -> String {
    let mut text = String::new();
    for code in Code::ALL {
        let explanation = code.explanation();
        let first = explanation.split_inclusive(". ").next().unwrap_or_default();
        let _ = writeln!(text, "{code}\n    {}", first.trim_end());
    }
    text
}

fn unknown(wanted: &str) -> Error {
    let error = Error::usage(format!("there is no code {wanted}"));
    let near = Code::ALL
        .iter()
        .max_by(|a, b| alike(wanted, **a).total_cmp(&alike(wanted, **b)));
    match near {
        Some(near) if alike(wanted, *near) > 0.8 => error.hint(format!("perhaps {near} is meant")),
        _ => error.hint("ci-import explain lists all codes"),
    }
}

/// How much `wanted` is like the text of `code`, from 0 to 1.
fn alike(wanted: &str, code: Code) -> f64 {
    strsim::jaro_winkler(wanted, code.text())
}
