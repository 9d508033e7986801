//! The queue between whoever brings chunks and the workers that load them.
//!
//! It promises: no more than a fixed number of chunks wait; a table's indexes are built after all
//! of its rows are committed; the first failure stops everybody, and is the one reported.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::planned_rows::{PlannedRows, TranscodedRows};
use crate::error::{Error, Result};
use crate::resources::MAX_SPARE_BYTES;
use crate::rows::Tally;
use crate::rows::contents::Contents;
use crate::schema::Note;

/// Work for a worker.
#[derive(Debug)]
pub(crate) enum Task {
    /// Rows to COPY.
    Rows(PlannedRows),
    /// A primary key or an index to build.
    Index(IndexBuild),
}

/// The statements, run one after the other, that give a table a key or an index.
#[derive(Debug)]
pub(crate) struct IndexBuild {
    /// The table, for errors.
    pub(crate) table: String,
    /// The name the index will have, for errors.
    pub(crate) name: String,
    pub(crate) statements: Vec<String>,
    /// What is done instead when a value is too long for the index, and the note that tells.
    pub(crate) fallback: Option<(Vec<String>, Note)>,
}

/// What the queue knows of a table.
#[derive(Debug, Default)]
struct TableState {
    /// Chunks that wait or are being copied, or whose COPY is not committed yet.
    chunks_under_way: usize,
    /// Builds that wait for the rows; taken when the table is complete.
    builds: Vec<IndexBuild>,
    /// All chunks have been put on the queue.
    complete: bool,
    rows_put: u64,
    rows_committed: u64,
    tally: Tally,
    contents: Contents,
}

#[derive(Debug, Default)]
struct State {
    notes: Vec<Note>,
    chunks: VecDeque<PlannedRows>,
    builds: VecDeque<IndexBuild>,
    tables: Vec<TableState>,
    /// Nothing more will be put on the queue.
    closed: bool,
    failed: Option<Error>,
}

/// Cancels what a worker's session runs.
type Canceller = Box<dyn Fn() + Send>;

/// See the module.
pub(crate) struct WorkQueue {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
    /// Buffers of chunks that are done with.
    spares: Mutex<Vec<Vec<u8>>>,
    /// What cancels the statements that the workers run.
    cancellers: Mutex<Vec<Canceller>>,
}

/// What came of a table's rows.
#[derive(Debug, Default)]
pub(crate) struct TableCounts {
    /// Rows the dump has.
    pub(crate) rows_put: u64,
    /// Rows the server has taken.
    pub(crate) rows_committed: u64,
    /// What was changed in them.
    pub(crate) tally: Tally,
    /// Their checksum, if they were hashed.
    pub(crate) contents: Contents,
}

impl WorkQueue {
    /// A queue on which at most `capacity` chunks wait.
    pub(crate) fn new(capacity: usize) -> Self {
        WorkQueue {
            state: Mutex::default(),
            changed: Condvar::new(),
            capacity,
            spares: Mutex::default(),
            cancellers: Mutex::default(),
        }
    }

    /// Adds a table; `builds` are run when its rows are in. Returns its number.
    pub(crate) fn add_table(&self, builds: Vec<IndexBuild>) -> usize {
        let mut state = self.lock();
        state.tables.push(TableState {
            builds,
            ..TableState::default()
        });
        state.tables.len() - 1
    }

    /// Adds builds to a table whose rows may be in already.
    pub(crate) fn add_builds(&self, table: usize, builds: Vec<IndexBuild>) {
        let mut state = self.lock();
        state.tables[table].builds.extend(builds);
        release_builds(&mut state, table);
        self.changed.notify_all();
    }

    /// Puts a chunk on the queue; waits while there is no room.
    pub(crate) fn put(&self, rows: PlannedRows) -> Result<()> {
        let mut state = self.wait_while(|state| state.chunks.len() >= self.capacity)?;
        let table = &mut state.tables[rows.table];
        table.chunks_under_way += 1;
        table.rows_put += rows.chunk.rows;
        state.chunks.push_back(rows);
        self.changed.notify_all();
        Ok(())
    }

    /// Says that all rows of `table` have been put. More may come all the same; they are loaded
    /// into a table that has its indexes.
    pub(crate) fn complete_table(&self, table: usize) {
        let mut state = self.lock();
        state.tables[table].complete = true;
        release_builds(&mut state, table);
        self.changed.notify_all();
    }

    /// Says that nothing more will come.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for table in 0..state.tables.len() {
            state.tables[table].complete = true;
            release_builds(&mut state, table);
        }
        self.changed.notify_all();
    }

    /// The next task; waits for one. `None` when there is nothing more to do.
    pub(crate) fn take(&self) -> Result<Option<Task>> {
        let nothing_yet = |state: &mut State| {
            let idle = state.chunks.is_empty() && state.builds.is_empty();
            idle && !(state.closed && state.tables.iter().all(|t| t.chunks_under_way == 0))
        };
        let mut state = self.wait_while(nothing_yet)?;
        self.changed.notify_all();
        if let Some(rows) = state.chunks.pop_front() {
            return Ok(Some(Task::Rows(rows)));
        }
        Ok(state.builds.pop_front().map(Task::Index))
    }

    /// The next chunk, if there is one at once and it is for `table` as it is filled by `statement`.
    pub(crate) fn take_more(&self, statement: &str) -> Result<Option<PlannedRows>> {
        let mut state = self.checked()?;
        let fits = state
            .chunks
            .front()
            .is_some_and(|rows| *rows.statement == *statement);
        let rows = fits.then(|| state.chunks.pop_front()).flatten();
        self.changed.notify_all();
        Ok(rows)
    }

    /// A buffer that was given back, if there is one.
    pub(crate) fn spare(&self) -> Option<Vec<u8>> {
        self.lock_spares().pop()
    }

    /// Gives back the buffer of a chunk. One that a huge row has made huge is let go.
    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        let mut spares = self.lock_spares();
        if buffer.capacity() <= MAX_SPARE_BYTES && spares.len() < self.capacity {
            spares.push(buffer);
        }
    }

    fn lock_spares(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.spares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that `chunks` of `table` with these rows are committed.
    pub(crate) fn committed(&self, table: usize, chunks: usize, copied: &TranscodedRows) {
        let mut state = self.lock();
        let progress = &mut state.tables[table];
        progress.chunks_under_way -= chunks;
        progress.rows_committed += copied.rows;
        progress.tally.merge(&copied.tally);
        progress.contents.merge(&copied.contents);
        release_builds(&mut state, table);
        self.changed.notify_all();
    }

    /// Stops everybody with `error`, unless somebody failed before.
    pub(crate) fn fail(&self, error: Error) {
        let mut state = self.lock();
        state.failed.get_or_insert(error);
        state.chunks.clear();
        state.builds.clear();
        self.changed.notify_all();
    }

    /// Lets [`WorkQueue::cancel_all`] cancel what a worker's connection runs.
    pub(crate) fn add_canceller(&self, canceller: impl Fn() + Send + 'static) {
        self.cancellers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(canceller));
    }

    /// Cancels what the workers run, once.
    pub(crate) fn cancel_all(&self) {
        let cancellers = std::mem::take(
            &mut *self
                .cancellers
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for canceller in cancellers {
            canceller();
        }
    }

    /// Keeps a note for the report.
    pub(crate) fn note(&self, note: Note) {
        self.lock().notes.push(note);
    }

    /// The notes kept so far.
    pub(crate) fn notes(&self) -> Vec<Note> {
        std::mem::take(&mut self.lock().notes)
    }

    /// The first failure, if there was one.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.lock().failed.clone()
    }

    /// What came of each table, in order of their numbers.
    pub(crate) fn counted(&self) -> Vec<TableCounts> {
        let mut state = self.lock();
        let counted = |table: TableState| TableCounts {
            rows_put: table.rows_put,
            rows_committed: table.rows_committed,
            tally: table.tally,
            contents: table.contents,
        };
        std::mem::take(&mut state.tables)
            .into_iter()
            .map(counted)
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A worker that panics fails the import when it is joined; the state itself stays sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn checked(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.lock();
        match &state.failed {
            Some(error) => Err(error.clone()),
            None => Ok(state),
        }
    }

    fn wait_while(
        &self,
        mut condition: impl FnMut(&mut State) -> bool,
    ) -> Result<MutexGuard<'_, State>> {
        let state = self
            .changed
            .wait_while(self.lock(), |state| {
                state.failed.is_none() && condition(state)
            })
            .unwrap_or_else(PoisonError::into_inner);
        match &state.failed {
            Some(error) => Err(error.clone()),
            None => Ok(state),
        }
    }
}

fn release_builds(state: &mut State, table: usize) {
    let progress = &mut state.tables[table];
    if progress.complete && progress.chunks_under_way == 0 {
        let builds = std::mem::take(&mut progress.builds);
        state.builds.extend(builds);
    }
}
