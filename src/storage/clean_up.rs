//! What the [watchdog](super::watchdog) does.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::new_object::{NewObject, Writing};
use super::objects::Objects;
use super::runtime::wait_at_most;
use super::url::ObjectUrl;
use super::watchdog::{Left, Line};
use crate::error::{Error, Result};

/// How long a request is tried.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long all objects below a prefix are removed, if they come away.
const LONGEST: Duration = Duration::from_secs(3600);

/// What was on its way when the process was killed has arrived by then; it is removed as well.
const LATE: Duration = Duration::from_secs(2);

/// Waits until the process at the other end of standard input has ended, and removes what it has left.
#[must_use]
pub fn clean_up_after() -> ExitCode {
    // Whoever ends that process by a signal to all of its group or unit gives it time to end by itself.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let _ = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
    }
    let mut begun = BTreeMap::new();
    for line in io::stdin().lock().lines() {
        let line = line.ok().and_then(|line| serde_json::from_str(&line).ok());
        match line {
            Some(Line::Begun(number, left)) => drop(begun.insert(number, left)),
            Some(Line::Done(number)) => drop(begun.remove(&number)),
            // Whoever does not know what is done with removes nothing.
            None => return ExitCode::FAILURE,
        }
    }
    if begun.is_empty() {
        return ExitCode::SUCCESS;
    }
    // Uploads below a prefix were begun after it, so they come first. There is nobody to be told of what cannot be removed.
    let remove_all = || {
        for left in begun.values().rev() {
            let _ = remove(left);
        }
    };
    remove_all();
    std::thread::sleep(LATE);
    remove_all();
    ExitCode::SUCCESS
}

fn remove(left: &Left) -> Result<()> {
    let writing = Writing::within(None, false, PATIENCE);
    let url = |text: &str| ObjectUrl::parse(text).ok_or_else(|| Error::failed("no URL"))?;
    match left {
        Left::Upload { url: text, id } => {
            let object = NewObject::of(&url(text)?, &writing)?;
            wait_at_most(PATIENCE, object.abort(id));
        }
        Left::Objects { prefix, first } => {
            Objects::below(&url(prefix)?, &writing)?.remove_within(LONGEST, first);
        }
    }
    Ok(())
}
