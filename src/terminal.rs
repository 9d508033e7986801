//! Speaks to whoever runs the program. Nobody listening is no reason to fail: the macros of the
//! standard library would panic.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};

use crate::halt::Halt;

/// Writes a line to standard error.
pub fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Writes `text` to standard output.
pub fn print(text: &str) {
    let _ = write!(stdout(), "{text}");
    let _ = stdout().flush();
}

/// Warns of something that is not fatal.
pub fn warn(what: &str) {
    say(&format!("ci-import: warning: {what}"));
}

/// Whether somebody can be asked.
#[must_use]
pub fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks `question`; whether the answer was yes. A signal is a no.
#[must_use]
pub fn ask(question: &str, halt: &Halt) -> bool {
    let _ = write!(stderr(), "{question} [y/N] ");
    let _ = stderr().flush();
    let answer = halt.wait_for(|| {
        let mut answer = String::new();
        let _ = stdin().lock().read_line(&mut answer);
        answer
    });
    let answer = answer.unwrap_or_default().trim().to_ascii_lowercase();
    matches!(answer.as_str(), "y" | "yes")
}
