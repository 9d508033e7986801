//! Ends the process after a signal if its threads cannot: they may wait for a server or a disk that does not answer.
//!
//! Signals are of the process, and so is this state.

use std::io::Write;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Kind;

/// How long the threads have to notice a signal. Then the process ends without them.
const PATIENCE: Duration = Duration::from_millis(1500);

/// After this time, the statements that the main thread waits for are cancelled.
const CANCEL_AFTER: Duration = Duration::from_millis(500);

/// How long a removal at the end of the process may take.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(5);

const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What the program does, as far as signals are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Work that the first signal ends.
    Working,
    /// Work that the first signal does not end by force, such as the removal of staged data.
    Unhurried,
    /// A change of live data. Only a second signal ends it.
    Changing,
}

type Canceller = Box<dyn Fn() + Send>;
type Say = Box<dyn Fn(&str) + Send>;
/// Removes something that was staged; true if it is gone.
type Remover = Box<dyn Fn() -> bool + Send>;

/// Something that is removed if the process is ended by force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal(u64);

struct State {
    phase: Phase,
    since: Instant,
    /// The first signal.
    signalled: Option<Instant>,
    /// Called if the process is ended by force.
    removers: Vec<(Removal, Remover)>,
    next_removal: u64,
    /// Cancel the statements of the main thread.
    cancellers: Vec<Canceller>,
    /// What an error can promise: "nothing was published".
    promise: Option<&'static str>,
    say: Option<Say>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// Locks the state, and uses it.
fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
    work(lock().get_or_insert_with(State::new))
}

fn lock() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn new() -> State {
        State {
            phase: Phase::Working,
            since: Instant::now(),
            signalled: None,
            removers: Vec::new(),
            next_removal: 0,
            cancellers: Vec::new(),
            promise: None,
            say: None,
        }
    }

    fn enter(&mut self, phase: Phase) -> Phase {
        self.since = Instant::now();
        std::mem::replace(&mut self.phase, phase)
    }

    fn say(&self, line: &str) {
        match &self.say {
            Some(say) => say(line),
            None => {
                let _ = writeln!(std::io::stderr(), "{line}");
            }
        }
    }
}

/// While it exists, the first signal does not end the process by force.
#[must_use]
pub struct Unhurried(Phase);

impl Drop for Unhurried {
    fn drop(&mut self) {
        with(|state| state.enter(self.0));
    }
}

/// Whether a signal has come.
#[must_use]
pub fn is_signalled() -> bool {
    with(|state| state.signalled.is_some())
}

/// Until the result is dropped, the first signal does not end the process by force.
pub fn unhurried() -> Unhurried {
    Unhurried(with(|state| match state.phase {
        // A publish stays one.
        Phase::Changing => state.enter(Phase::Changing),
        _ => state.enter(Phase::Unhurried),
    }))
}

/// From here on, live data is changed, until the process ends. False if a signal came before.
pub(super) fn begin_change(is_signalled: impl FnOnce() -> bool) -> bool {
    with(|state| {
        if is_signalled() {
            return false;
        }
        state.enter(Phase::Changing);
        true
    })
}

/// Live data is changed from here on, until the process ends. The change may still notice a signal and undo itself.
pub fn changing() {
    with(|state| state.enter(Phase::Changing));
}

/// What the error after a forced end says: "nothing was published".
pub fn promise(promise: &'static str) {
    with(|state| state.promise = Some(promise));
}

/// Has lines about signals written by `say`.
pub fn say_with(say: impl Fn(&str) + Send + 'static) {
    with(|state| state.say = Some(Box::new(say)));
}

/// Has `cancel` called if the main thread does not notice a signal.
pub fn cancel_with(cancel: impl Fn() + Send + 'static) {
    with(|state| state.cancellers.push(Box::new(cancel)));
}

/// If the process is ended by force, it calls `remove` until that is true.
pub fn remove_at_end(remove: impl Fn() -> bool + Send + 'static) -> Removal {
    with(|state| {
        state.next_removal += 1;
        let removal = Removal(state.next_removal);
        state.removers.push((removal, Box::new(remove)));
        removal
    })
}

/// What was to be removed at the end is not any more.
pub fn keep_at_end(removal: Removal) {
    with(|state| state.removers.retain(|(one, _)| *one != removal));
}

/// A signal has come: the first one is announced and watched, the second one ends the process.
pub(super) fn signalled() {
    let is_first = with(|state| {
        if state.signalled.is_some() {
            return false;
        }
        state.signalled = Some(Instant::now());
        let doing = match state.phase {
            Phase::Changing => "completing or undoing the change of the live data",
            _ => "stopping",
        };
        state.say(&format!(
            "ci-import: {doing}; press Ctrl-C again to stop at once"
        ));
        true
    });
    if is_first {
        std::thread::spawn(watch);
    } else {
        end("a second signal");
    }
}

/// Ends the process if its threads do not.
fn watch() {
    loop {
        std::thread::sleep(POLL_INTERVAL);
        let (is_late, cancellers) = with(|state| {
            let from = state.signalled.unwrap_or(state.since).max(state.since);
            let waited = match state.phase {
                Phase::Working => from.elapsed(),
                _ => Duration::ZERO,
            };
            let is_due = waited >= CANCEL_AFTER;
            let cancellers = is_due.then(|| std::mem::take(&mut state.cancellers));
            (waited >= PATIENCE, cancellers.unwrap_or_default())
        });
        for cancel in cancellers {
            // The server may not answer.
            std::thread::spawn(cancel);
        }
        if is_late {
            end("no answer");
        }
    }
}

/// Ends the process. Its threads, which may wait for something, are left alone.
fn end(why: &str) -> ! {
    // The state stays locked, so no thread begins a change of live data meanwhile.
    let mut locked = lock();
    let state = locked.get_or_insert_with(State::new);
    let (kind, what, hint) = match (state.phase, state.promise) {
        (Phase::Changing, _) => (
            Kind::CutPublish,
            "interrupted while live data was changed",
            Some("ci-import recover completes or undoes it"),
        ),
        (_, Some(promise)) => (
            Kind::Interrupted,
            promise,
            Some("the next import removes what was staged in the target"),
        ),
        (_, None) => (Kind::Interrupted, "interrupted", None),
    };
    state.say(&format!("ci-import: error: {what} ({why})"));
    if let Some(hint) = hint {
        state.say(&format!("hint: {hint}"));
    }
    if state.phase != Phase::Changing {
        remove(std::mem::take(&mut state.removers));
    }
    signal_hook::low_level::exit(kind.exit_code().into())
}

/// Removes what was staged, while threads may still be writing into it.
fn remove(removers: Vec<(Removal, Remover)>) {
    let (done, is_done) = sync_channel(1);
    std::thread::spawn(move || {
        for (_, is_gone) in removers {
            while !is_gone() {
                std::thread::sleep(POLL_INTERVAL);
            }
        }
        done.send(())
    });
    let _ = is_done.recv_timeout(REMOVAL_PATIENCE);
}
