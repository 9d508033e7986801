//! Messages on standard error: as text for people, or each as a line of JSON for programs.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::screen;
use super::shown::is_visible;

/// Standard error is of the process, and so is its form.
static IN_JSON: AtomicBool = AtomicBool::new(false);

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
    Info,
    Debug,
    Trace,
}

impl Level {
    pub(super) fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// From now on, messages are lines of JSON.
pub fn use_json() {
    IN_JSON.store(true, Ordering::Relaxed);
}

/// Whether messages are lines of JSON.
pub(super) fn are_json() -> bool {
    IN_JSON.load(Ordering::Relaxed)
}

/// Writes the line of an `event`: an object with the time, the level, the event, and the keys of `more`.
pub(super) fn send(level: Level, event: &str, more: Value) {
    let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let mut line = Map::new();
    line.insert("time".to_owned(), time.to_string().into());
    line.insert("level".to_owned(), level.name().into());
    line.insert("event".to_owned(), event.into());
    if let Value::Object(more) = more {
        line.extend(more);
    }
    screen::say(&visible(&Value::Object(line).to_string()));
}

/// `json` with characters that a terminal would not show written as `\u….`, which means the same.
pub(super) fn visible(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        // The line ends between values are the only control characters: in a text they are escaped.
        if c == '\n' || is_visible(c) {
            shown.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    shown
}
