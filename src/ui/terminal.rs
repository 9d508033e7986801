//! Output to the user. The macros of the standard library would panic if it fails.

use std::io::{BufRead, ErrorKind, IsTerminal, Write, stderr, stdin, stdout};

use super::screen;
use super::text::{harmless, wrapped};
use crate::cancellation::Cancellation;
use crate::error::{Doing, Result};

/// Writes a message to standard error, in lines that are not too long.
pub fn say(message: &str) {
    screen::say(&wrapped(&harmless(message), screen::error_width()));
}

/// A report for standard output, in lines that are not too long.
#[must_use]
pub fn in_lines(report: &str) -> String {
    wrapped(report, screen::output_width())
}

/// Writes `text` to standard output. If the reader has closed the pipe, it wants no more, and that is no failure.
pub fn print(text: &str) -> Result<()> {
    let _held = screen::hold();
    let mut output = stdout().lock();
    let written = output
        .write_all(harmless(text).as_bytes())
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

/// Asks `question`, and returns whether the answer is yes. A signal means no.
#[must_use]
pub fn ask(question: &str, cancellation: &Cancellation) -> bool {
    let _held = screen::hold();
    let question = wrapped(&harmless(question), screen::error_width());
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
