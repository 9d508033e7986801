//! Output to the user. The macros of the standard library would panic if it fails.

use std::fmt::Write as _;
use std::io::{BufRead, ErrorKind, IsTerminal, Write, stderr, stdin, stdout};

use serde_json::Value;

use super::screen;
use super::shown::{Shown, is_visible};
use super::text::{harmless, wrapped};
use crate::cancellation::Cancellation;
use crate::error::{Doing, Result};

/// Writes a message to standard error, in lines that are not too long.
pub fn say(message: &str) {
    screen::say(&wrapped(&Shown(message).to_string(), screen::error_width()));
}

/// A report for standard output, in lines that are not too long.
#[must_use]
pub fn in_lines(report: &str) -> String {
    wrapped(report, screen::output_width())
}

/// Writes `text` to standard output. If the reader has closed the pipe, it wants no more, and that is no failure.
pub fn print(text: &str) -> Result<()> {
    write_out(&harmless(text))
}

/// Prints `value` as JSON. A character that a terminal would not show is written as `\u….`, which means the same.
pub fn print_json(value: &Value) -> Result<()> {
    let mut json = String::new();
    for c in format!("{value:#}\n").chars() {
        // The line ends between values are the only control characters: in a text they are escaped.
        if c == '\n' || is_visible(c) {
            json.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(json, "\\u{unit:04x}");
            }
        }
    }
    write_out(&json)
}

fn write_out(text: &str) -> Result<()> {
    let _held = screen::hold();
    let mut output = stdout().lock();
    let written = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
    match written {
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.doing("write to standard output"),
    }
}

/// Prints a warning.
pub fn warn(what: &str) {
    say(&format!("ci-import: warning: {what}"));
}

/// Whether a user can answer a question.
#[must_use]
pub fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks a question of these lines, and returns whether the answer is yes. A signal means no.
#[must_use]
pub fn ask(question: &[&str], cancellation: &Cancellation) -> bool {
    let _held = screen::hold();
    let lines: Vec<String> = question
        .iter()
        .map(|line| Shown(line).to_string())
        .collect();
    let question = wrapped(&lines.join("\n"), screen::error_width());
    let _ = write!(stderr(), "{question} [y/N] ");
    let _ = stderr().flush();
    let answer = cancellation.wait_for(|| {
        let mut answer = String::new();
        let _ = stdin().lock().read_line(&mut answer);
        answer
    });
    let answer = answer.unwrap_or_default().trim().to_ascii_lowercase();
    matches!(answer.as_str(), "y" | "yes")
}
