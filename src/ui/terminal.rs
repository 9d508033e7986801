//! Output to the user. The macros of the standard library would panic if it fails.

use std::io::{BufRead, ErrorKind, IsTerminal, Write, stderr, stdin, stdout};

use serde_json::{Value, json};

use super::messages::{self, Level};
use super::screen;
use super::shown::{Shown, visible_json};
use super::text::{harmless, wrapped};
use crate::cancellation::Cancellation;
use crate::error::codes::Code;
use crate::error::{Doing, Kind, Result};

/// What messages begin with.
const NAME: &str = "ci-import: ";

/// Writes a message to standard error, in lines that are not too long.
pub fn say(message: &str) {
    if messages::are_json() {
        let text = message.strip_prefix(NAME).unwrap_or(message);
        messages::send(Level::Info, "message", json!({"message": text}));
        return;
    }
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
    write_out(&visible_json(&format!("{value:#}\n")))
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

/// Prints a warning, with its `code`, which `ci-import explain` explains.
pub fn warn(code: Code, what: &str) {
    if messages::are_json() {
        messages::send(
            Level::Warning,
            "warning",
            json!({"code": code, "message": what}),
        );
        return;
    }
    say(&format!("{NAME}warning: {what} [{code}]"));
}

/// Prints why the program fails, with lines below it and hints.
pub fn fail(what: &str, lines: &[String], hints: &[&str], kind: Kind) {
    if messages::are_json() {
        let more = json!({
            "message": what,
            "lines": lines,
            "hints": hints,
            "exit_code": kind.exit_code(),
            "try_again": kind.is_worth_another_try(),
        });
        messages::send(Level::Error, "error", more);
        return;
    }
    say(&format!("{NAME}error: {what}"));
    for line in lines {
        say(line);
    }
    for hint in hints {
        say(&format!("hint: {hint}"));
    }
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
