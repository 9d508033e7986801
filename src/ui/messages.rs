//! Messages on standard error: as text for people, or each as a line of JSON for programs.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::screen;
use super::shown::visible_json;

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
    screen::say(&visible_json(&Value::Object(line).to_string()));
}
