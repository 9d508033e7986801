//! Output to the user. The macros of the standard library would panic if it fails.

use std::borrow::Cow;
use std::io::{BufRead, ErrorKind, IsTerminal, Write, stderr, stdin, stdout};

use crate::cancellation::Cancellation;
use crate::error::{Doing, Result};

/// Writes a line to standard error.
pub fn say(line: &str) {
    let _ = writeln!(stderr(), "{}", harmless(line));
}

/// Writes `text` to standard output. If the reader has closed the pipe, it wants no more, and that is no failure.
pub fn print(text: &str) -> Result<()> {
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

/// Escapes the control characters in `text`: a terminal would obey those in names and values of an archive.
fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_gets_to_a_terminal() {
        assert_eq!(harmless("a\n\tü"), "a\n\tü");
        assert_eq!(
            harmless("\u{1b}[2J\r\0\u{9b}x"),
            "\\u{1b}[2J\\r\\u{0}\\u{9b}x"
        );
    }
}
