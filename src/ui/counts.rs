//! What a part of the work has done so far: its threads count it for each chunk, the progress shows it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The counts of a part of the work. A clone is the same counts.
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<State>);

#[derive(Debug, Default)]
struct State {
    bytes: AtomicU64,
    items: AtomicU64,
    /// How many steps there are, as far as it is known.
    steps: AtomicU64,
    steps_done: AtomicU64,
    phase: Mutex<Phase>,
}

/// What is done after the bytes are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Phase {
    /// The names of the phases so far, and when each began.
    pub(super) begun: Vec<(&'static str, Instant)>,
    /// The step of it that was begun last.
    pub(super) step: String,
}

impl Counts {
    /// Counts bytes of the input.
    pub fn add_bytes(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts rows or files.
    pub fn add(&self, items: u64) {
        self.0.items.fetch_add(items, Ordering::Relaxed);
    }

    /// Adds steps that are still to be done.
    pub fn expect_steps(&self, steps: usize) {
        self.0.steps.fetch_add(steps as u64, Ordering::Relaxed);
    }

    /// Names the step that begins.
    pub fn begin_step(&self, name: &str) {
        name.clone_into(&mut self.lock().step);
    }

    /// Counts a step as done.
    pub fn end_step(&self) {
        self.0.steps_done.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins the next phase: what was to be read is read.
    pub fn begin_phase(&self, name: &'static str) {
        self.lock().begun.push((name, Instant::now()));
    }

    /// Begins the next phase, which has steps of its own.
    pub fn begin_phase_of(&self, name: &'static str, steps: usize) {
        self.0.steps.store(steps as u64, Ordering::Relaxed);
        self.0.steps_done.store(0, Ordering::Relaxed);
        self.lock().step.clear();
        self.begin_phase(name);
    }

    /// Whether both count the same part.
    pub(super) fn is(&self, other: &Counts) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn items(&self) -> u64 {
        self.0.items.load(Ordering::Relaxed)
    }

    /// The steps that are done, and all.
    pub(super) fn steps(&self) -> (u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&self.0.steps_done), load(&self.0.steps))
    }

    pub(super) fn phase(&self) -> Phase {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.0.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
