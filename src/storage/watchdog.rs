//! A process that outlives this one. If this one is killed, it removes what was begun in an object storage: an open upload, the
//! objects of an import that is not published.
//!
//! It runs the same program, and reads from a pipe: a line of JSON for each thing that is begun, another one when that is done
//! with. The pipe ends with this process, however that ends. What it does then is in `clean_up`.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::error::{Doing, Error, Result};

/// The argument with which the program is the watchdog.
pub const COMMAND: &str = "__watchdog";

/// Whether this is the program, which can be run as the watchdog.
static IS_PROGRAM: AtomicBool = AtomicBool::new(false);

static WATCHDOG: Mutex<Option<Watchdog>> = Mutex::new(None);

/// The pipe to it, and how much it was told of.
struct Watchdog {
    lines: ChildStdin,
    count: u64,
}

/// A line of the pipe.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Line {
    Begun(u64, Left),
    Done(u64),
}

/// What is to be removed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Left {
    Upload {
        url: String,
        id: String,
    },
    /// All objects below a prefix, one of them before the others.
    Objects {
        prefix: String,
        first: String,
    },
}

/// Something that the watchdog removes if this process ends before it is [done](Watched::done).
#[derive(Debug, Default)]
pub struct Watched(Option<u64>);

/// From here on, this process has a watchdog as soon as it begins something in a storage. For `main` alone: it runs the program
/// again.
pub fn enable() {
    IS_PROGRAM.store(true, Ordering::Relaxed);
}

/// Starts it, if it does not run: before something is begun.
pub(super) fn start() {
    let mut watchdog = lock();
    if watchdog.is_some() || !IS_PROGRAM.load(Ordering::Relaxed) {
        return;
    }
    match Watchdog::start() {
        Ok(started) => *watchdog = Some(started),
        Err(error) => debug!(%error, "nothing is removed if the program is killed"),
    }
}

fn lock() -> MutexGuard<'static, Option<Watchdog>> {
    WATCHDOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that something was begun.
pub(super) fn watch(left: Left) -> Watched {
    let mut watchdog = lock();
    Watched(watchdog.as_mut().map(|watchdog| {
        watchdog.count += 1;
        watchdog.tell(&Line::Begun(watchdog.count, left));
        watchdog.count
    }))
}

impl Watched {
    /// Says that it is complete, or removed, or has to stay.
    pub fn done(&mut self) {
        if let (Some(number), Some(watchdog)) = (self.0.take(), lock().as_mut()) {
            watchdog.tell(&Line::Done(number));
        }
    }
}

impl Watchdog {
    fn start() -> Result<Watchdog> {
        let linked = "/proc/self/exe";
        let program = if std::path::Path::new(linked).exists() {
            linked.into()
        } else {
            std::env::current_exe().doing("find the program")?
        };
        let mut command = Command::new(program);
        command.arg0("ci-import").arg(COMMAND);
        // Of its own, so that no signal of a terminal reaches it.
        command.process_group(0);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().doing("start the watchdog")?;
        let lines = child.stdin.take();
        let lines = lines.ok_or_else(|| Error::failed("the watchdog has no pipe"))?;
        Ok(Watchdog { lines, count: 0 })
    }

    /// If it does not run any more, there is nobody to be told.
    fn tell(&mut self, line: &Line) {
        let written = serde_json::to_string(line).map_err(io::Error::from);
        let written = written.and_then(|line| writeln!(self.lines, "{line}"));
        if let Err(error) = written {
            debug!(%error, "the watchdog does not run");
        }
    }
}
