//! Standard error: lines that stay, and below them, on a terminal, lines that are drawn again and again.

use std::io::{Write, stderr, stdout};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The longest line of a message or report.
const WIDEST: usize = 100;

/// The width of a terminal that does not tell it.
const USUAL: usize = 80;

#[derive(Debug)]
struct Screen {
    /// The lines that are drawn.
    drawn: Vec<String>,
    /// How many want nothing to be drawn.
    holders: usize,
}

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    drawn: Vec::new(),
    holders: 0,
});

fn lock() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Screen {
    /// What a terminal must be sent so that it removes the drawn lines.
    fn erasure(&self) -> String {
        if self.drawn.is_empty() {
            return String::new();
        }
        // After the window has become narrower, a line takes several rows.
        let width = terminal_width();
        let rows = |line: &String| line.chars().count().div_ceil(width).max(1);
        let above = self.drawn.iter().map(rows).sum::<usize>() - 1;
        match above {
            0 => "\r\u{1b}[J".to_owned(),
            above => format!("\r\u{1b}[{above}A\u{1b}[J"),
        }
    }

    fn draw(&mut self, lines: Vec<String>) {
        if self.holders > 0 || self.drawn == lines {
            return;
        }
        let erasure = self.erasure();
        self.drawn = lines;
        send(&(erasure + &self.drawn.join("\n")));
    }
}

/// Writes at once, so that nobody sees half a screen.
fn send(text: &str) {
    let mut output = stderr().lock();
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// Writes `text` and a line feed above the drawn lines.
pub(super) fn say(text: &str) {
    let screen = lock();
    send(&format!(
        "{}{text}\n{}",
        screen.erasure(),
        screen.drawn.join("\n")
    ));
}

/// Draws `lines` in the place of those that were drawn before.
pub(super) fn draw(lines: Vec<String>) {
    lock().draw(lines);
}

/// Removes the drawn lines, and draws nothing until the result is dropped.
pub(super) fn hold() -> Held {
    let mut screen = lock();
    screen.draw(Vec::new());
    screen.holders += 1;
    Held
}

/// See [`hold`].
pub(super) struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        lock().holders -= 1;
    }
}

/// The width of the terminal that standard error is.
pub(super) fn terminal_width() -> usize {
    width_of(stderr()).unwrap_or(USUAL)
}

/// How long a line on standard error may be.
pub(super) fn error_width() -> usize {
    width_of(stderr()).unwrap_or(WIDEST).min(WIDEST)
}

/// How long a line on standard output may be.
pub(super) fn output_width() -> usize {
    width_of(stdout()).unwrap_or(WIDEST).min(WIDEST)
}

fn width_of(output: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(output).ok()?;
    // A serial line has no size.
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
