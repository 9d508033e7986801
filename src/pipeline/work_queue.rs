//! The queue between the reader of a dump and the workers that load it.
//!
//! Guarantees: at most a fixed number of chunks wait; the indexes of a table are built after all its rows are
//! committed; the first failure stops all threads, and is the one reported.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::planned_rows::{PlannedRows, TranscodedRows};
use crate::error::{Error, Result};
use crate::resources::MAX_SPARE_BYTES;
use crate::rows::contents::Contents;
use crate::rows::{Tally, Widening};
use crate::schema::Note;
use crate::ui::counts::Counts;
use crate::ui::times::Work;

/// Work for a worker.
#[derive(Debug)]
pub(crate) enum Task {
    /// Rows to load.
    Rows(PlannedRows),
    /// All rows of the table with this number are loaded: decide what depends on their values.
    Settle(usize),
    /// A primary key or an index to build.
    Index(IndexBuild),
}

/// Whether what depends on the values of a table is decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Settling {
    /// Nothing depends on them, or it is decided.
    #[default]
    Done,
    Wanted,
    UnderWay,
}

/// A key or an index of a table to build.
#[derive(Debug)]
pub(crate) struct IndexBuild {
    /// The table, for errors.
    pub(crate) table: String,
    /// The final name of the index, for errors.
    pub(crate) name: String,
    /// What is built.
    pub(crate) built: Built,
}

/// What an [`IndexBuild`] builds.
#[derive(Debug)]
pub(crate) enum Built {
    /// What these statements make, for the table with this number.
    By(usize, Vec<String>),
    /// The primary key of the table with this number.
    PrimaryKey(usize),
    /// The index at this position, of the table with this number.
    Index(usize, usize),
    /// The server's statistics of the table with this number.
    Statistics(usize),
}

impl IndexBuild {
    /// The number of the table.
    pub(crate) fn of(&self) -> usize {
        match self.built {
            Built::By(of, _)
            | Built::PrimaryKey(of)
            | Built::Index(of, _)
            | Built::Statistics(of) => of,
        }
    }
}

/// The state of a table.
#[derive(Debug, Default)]
struct TableState {
    /// The number of chunks that wait, are being loaded, or are not committed yet.
    chunks_under_way: usize,
    /// The builds that wait for the rows; moved when the table is complete.
    builds: Vec<IndexBuild>,
    /// The number of builds that workers do.
    builds_under_way: usize,
    /// Whether all chunks were queued.
    complete: bool,
    settling: Settling,
    rows_put: u64,
    rows_committed: u64,
    tally: Tally,
    contents: Contents,
    /// The number of workers that are loading rows into it.
    loading: usize,
    /// Whether a worker changes the type of a column; nobody loads rows meanwhile.
    is_changing: bool,
    /// The columns that have got a wider type.
    widenings: Vec<Widening>,
    work: Work,
}

#[derive(Debug, Default)]
struct State {
    notes: Vec<Note>,
    chunks: VecDeque<PlannedRows>,
    settles: VecDeque<usize>,
    builds: VecDeque<IndexBuild>,
    tables: Vec<TableState>,
    /// Whether nothing more will be queued.
    closed: bool,
    failed: Option<Error>,
}

/// Cancels the statement of a worker's session.
type Canceller = Box<dyn Fn() + Send>;

/// The queue; see the module.
pub(crate) struct WorkQueue {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
    /// Buffers to be reused.
    spares: Mutex<Vec<Vec<u8>>>,
    /// The functions that cancel the workers' statements.
    cancellers: Mutex<Vec<Canceller>>,
    /// For the progress.
    counts: Counts,
}

/// The results of a table's rows.
#[derive(Debug, Default)]
pub(crate) struct TableCounts {
    /// The number of rows in the dump.
    pub(crate) rows_put: u64,
    /// The number of rows that the server has committed.
    pub(crate) rows_committed: u64,
    /// The changes of values.
    pub(crate) tally: Tally,
    /// The checksum of the rows, if they were hashed.
    pub(crate) contents: Contents,
    /// The columns that have got a wider type.
    pub(crate) widenings: Vec<Widening>,
    /// When its rows came and its indexes were built, and the bytes of its rows in the dump.
    pub(crate) work: Work,
}

impl WorkQueue {
    /// A queue for at most `capacity` chunks, whose rows and builds are counted in `counts`.
    pub(crate) fn new(capacity: usize, counts: Counts) -> Self {
        WorkQueue {
            state: Mutex::default(),
            changed: Condvar::new(),
            capacity,
            spares: Mutex::default(),
            cancellers: Mutex::default(),
            counts,
        }
    }

    /// Adds a table and returns its number. `builds` run after its rows.
    pub(crate) fn add_table(&self, builds: Vec<IndexBuild>) -> usize {
        self.counts.expect_steps(builds.len());
        let mut state = self.lock();
        state.tables.push(TableState {
            builds,
            ..TableState::default()
        });
        state.tables.len() - 1
    }

    /// Adds a table of which something depends on the values of all its rows; returns its number. It is settled after the
    /// end of the input, since rows may come later; then its builds are added.
    pub(crate) fn add_table_to_settle(&self) -> usize {
        let number = self.add_table(Vec::new());
        self.lock().tables[number].settling = Settling::Wanted;
        number
    }

    /// Takes `rows` from the counts of `table`, because the source would not have them either. Which ones is not known to the
    /// checksum.
    pub(crate) fn removed(&self, table: usize, rows: u64) {
        let mut state = self.lock();
        let table = &mut state.tables[table];
        table.rows_put -= rows;
        table.rows_committed -= rows;
        table.contents = Contents::Mixed;
    }

    /// Drops what is still to be done for `table`, whose rows are all loaded. Waits for what is being done: it would find
    /// the next table of the same name.
    pub(crate) fn forget_builds(&self, table: usize) -> Result<()> {
        let mut state = self.lock();
        state.builds.retain(|build| build.of() != table);
        let forgotten = &mut state.tables[table];
        forgotten.builds.clear();
        forgotten.settling = Settling::Done;
        drop(state);
        let is_building = |state: &mut State| state.tables[table].builds_under_way > 0;
        self.wait_while(is_building).map(drop)
    }

    /// Marks `table` as settled, with what is to be built then.
    pub(crate) fn settled(&self, table: usize, builds: Vec<IndexBuild>) {
        self.lock().tables[table].settling = Settling::Done;
        self.add_builds(table, builds);
    }

    /// Adds builds to a table whose rows may already be loaded.
    pub(crate) fn add_builds(&self, table: usize, builds: Vec<IndexBuild>) {
        self.counts.expect_steps(builds.len());
        let mut state = self.lock();
        state.tables[table].builds.extend(builds);
        release_builds(&mut state, table);
        self.changed.notify_all();
    }

    /// Adds what `statements` build of `table`, after what is built of it already: one worker builds all that waits. Waits
    /// for what is being built.
    pub(crate) fn build_next(
        &self,
        table: usize,
        name: &str,
        statements: Vec<String>,
    ) -> Result<()> {
        let is_building = |state: &mut State| state.tables[table].builds_under_way > 0;
        let mut guard = self.wait_while(is_building)?;
        let state = &mut *guard;
        let queued = state.builds.iter_mut().filter(|build| build.of() == table);
        let waiting = state.tables[table].builds.iter_mut();
        let last = queued.chain(waiting).last();
        if let Some(Built::By(_, known)) = last.map(|build| &mut build.built) {
            known.extend(statements);
            return Ok(());
        }
        drop(guard);
        let build = IndexBuild {
            table: name.to_owned(),
            name: "all".to_owned(),
            built: Built::By(table, statements),
        };
        self.add_builds(table, vec![build]);
        Ok(())
    }

    /// Waits until all rows of `table` so far are committed, and all that is to be built then is built. Rows that follow
    /// are still accepted.
    pub(crate) fn wait_for_builds(&self, table: usize) -> Result<()> {
        self.complete_table(table);
        let is_to_do = |state: &mut State| {
            let of_table = &state.tables[table];
            of_table.chunks_under_way > 0
                || of_table.builds_under_way > 0
                || !of_table.builds.is_empty()
                || state.builds.iter().any(|build| build.of() == table)
        };
        self.wait_while(is_to_do).map(drop)
    }

    /// Queues a chunk; blocks while the queue is full.
    pub(crate) fn put(&self, rows: PlannedRows) -> Result<()> {
        let mut state = self.wait_while(|state| state.chunks.len() >= self.capacity)?;
        let table = &mut state.tables[rows.table];
        table.chunks_under_way += 1;
        table.rows_put += rows.chunk.rows;
        table.work.begin();
        table.work.bytes += rows.chunk.bytes.len() as u64;
        state.chunks.push_back(rows);
        self.changed.notify_all();
        Ok(())
    }

    /// Marks all rows of `table` as queued. Further rows are still accepted; they are loaded into the table
    /// with its indexes.
    pub(crate) fn complete_table(&self, table: usize) {
        let mut state = self.lock();
        state.tables[table].complete = true;
        release_builds(&mut state, table);
        self.changed.notify_all();
    }

    /// Marks the end of the input.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for table in 0..state.tables.len() {
            state.tables[table].complete = true;
            release_builds(&mut state, table);
        }
        self.changed.notify_all();
    }

    /// The next task; blocks until there is one. `None` at the end.
    pub(crate) fn take(&self) -> Result<Option<Task>> {
        let nothing_yet = |state: &mut State| {
            let idle =
                state.chunks.is_empty() && state.settles.is_empty() && state.builds.is_empty();
            let is_done = |table: &TableState| {
                table.chunks_under_way == 0 && table.settling == Settling::Done
            };
            idle && !(state.closed && state.tables.iter().all(is_done))
        };
        let mut state = self.wait_while(nothing_yet)?;
        self.changed.notify_all();
        if let Some(rows) = state.chunks.pop_front() {
            return Ok(Some(Task::Rows(rows)));
        }
        if let Some(table) = state.settles.pop_front() {
            return Ok(Some(Task::Settle(table)));
        }
        let build = state.builds.pop_front();
        if let Some(build) = &build {
            self.counts.begin_step(&build.name);
            state.tables[build.of()].builds_under_way += 1;
        }
        Ok(build.map(Task::Index))
    }

    /// Counts a build as done, of the table with this number.
    pub(crate) fn built(&self, table: usize) {
        self.counts.end_step();
        let mut state = self.lock();
        state.tables[table].builds_under_way -= 1;
        state.tables[table].work.goes_on();
        drop(state);
        self.changed.notify_all();
    }

    /// What is counted for the progress.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The next chunk, if one is ready for the same `statement`.
    pub(crate) fn take_more(&self, statement: &str) -> Result<Option<PlannedRows>> {
        let mut state = self.checked()?;
        let fits = state.chunks.front().is_some_and(|rows| {
            *rows.statement == *statement && !state.tables[rows.table].is_changing
        });
        let rows = fits.then(|| state.chunks.pop_front()).flatten();
        self.changed.notify_all();
        Ok(rows)
    }

    /// Begins to load rows into `table`; waits while the type of a column changes. Returns its columns with a wider
    /// type, which stay the same until [`WorkQueue::end_rows`].
    pub(crate) fn begin_rows(&self, table: usize) -> Result<Vec<Widening>> {
        let mut state = self.wait_while(|state| state.tables[table].is_changing)?;
        let table = &mut state.tables[table];
        table.loading += 1;
        Ok(table.widenings.clone())
    }

    /// Ends what [`WorkQueue::begin_rows`] began.
    pub(crate) fn end_rows(&self, table: usize) {
        self.lock().tables[table].loading -= 1;
        self.changed.notify_all();
    }

    /// Has `change` give a column of `table` a wider type, while nobody loads rows into the table, unless another
    /// worker has done it.
    pub(crate) fn widen(
        &self,
        table: usize,
        widening: &Widening,
        change: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let is_known =
            |known: &Widening| (&known.column, known.to) == (&widening.column, widening.to);
        let mut state = self.wait_while(|state| state.tables[table].is_changing)?;
        if state.tables[table].widenings.iter().any(is_known) {
            return Ok(());
        }
        state.tables[table].is_changing = true;
        drop(state);
        let done = self
            .wait_while(|state| state.tables[table].loading > 0)
            .map(drop)
            .and_then(|()| change());
        let mut state = self.lock();
        state.tables[table].is_changing = false;
        if done.is_ok() {
            state.tables[table].widenings.push(widening.clone());
        }
        self.changed.notify_all();
        done
    }

    /// Waits until all rows of `table` so far are committed.
    pub(crate) fn wait_for_rows(&self, table: usize) -> Result<()> {
        let under_way = |state: &mut State| state.tables[table].chunks_under_way > 0;
        self.wait_while(under_way).map(drop)
    }

    /// A buffer to be reused, if there is one.
    pub(crate) fn spare(&self) -> Option<Vec<u8>> {
        self.lock_spares().pop()
    }

    /// Returns the buffer of a chunk for reuse, unless a huge row has made it huge.
    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        let mut spares = self.lock_spares();
        if buffer.capacity() <= MAX_SPARE_BYTES && spares.len() < self.capacity {
            spares.push(buffer);
        }
    }

    fn lock_spares(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.spares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts `chunks` of `table` as committed, with the results of their rows.
    pub(crate) fn committed(&self, table: usize, chunks: usize, copied: &TranscodedRows) {
        let mut state = self.lock();
        self.counts.add(copied.rows);
        let progress = &mut state.tables[table];
        progress.chunks_under_way -= chunks;
        progress.rows_committed += copied.rows;
        progress.work.goes_on();
        progress.tally.merge(&copied.tally);
        progress.contents.merge(&copied.contents);
        release_builds(&mut state, table);
        self.changed.notify_all();
    }

    /// Stops all threads with `error`, unless there is an earlier failure.
    pub(crate) fn fail(&self, error: Error) {
        let mut state = self.lock();
        state.failed.get_or_insert(error);
        state.chunks.clear();
        state.settles.clear();
        state.builds.clear();
        self.changed.notify_all();
    }

    /// Registers how [`WorkQueue::cancel_all`] cancels the statements of a worker.
    pub(crate) fn add_canceller(&self, canceller: impl Fn() + Send + 'static) {
        self.cancellers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(canceller));
    }

    /// Cancels the workers' statements, once.
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

    /// The changes of the values of `table` so far.
    pub(crate) fn tally(&self, table: usize) -> Tally {
        self.lock().tables[table].tally.clone()
    }

    /// The first failure, if there was one.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.lock().failed.clone()
    }

    /// The results of each table, by number.
    pub(crate) fn counted(&self) -> Vec<TableCounts> {
        let mut state = self.lock();
        let counted = |table: TableState| TableCounts {
            rows_put: table.rows_put,
            rows_committed: table.rows_committed,
            tally: table.tally,
            contents: table.contents,
            widenings: table.widenings,
            work: table.work,
        };
        std::mem::take(&mut state.tables)
            .into_iter()
            .map(counted)
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A worker that panics fails the import when it is joined. The state stays consistent.
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
    if !progress.complete || progress.chunks_under_way > 0 {
        return;
    }
    match progress.settling {
        Settling::Done => {
            let builds = std::mem::take(&mut progress.builds);
            state.builds.extend(builds);
        }
        Settling::Wanted if state.closed => {
            progress.settling = Settling::UnderWay;
            state.settles.push_back(table);
        }
        Settling::Wanted | Settling::UnderWay => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn builds_are_forgotten_when_none_is_under_way() {
        let queue = Arc::new(WorkQueue::new(1, Counts::default()));
        let build = |table, built| IndexBuild {
            table,
            name: String::new(),
            built,
        };
        let number = queue.add_table(vec![]);
        let builds = [Built::PrimaryKey(number), Built::Index(number, 0)];
        let builds = builds.map(|built| build("t".to_owned(), built));
        queue.add_builds(number, builds.into());
        queue.complete_table(number);
        let Some(Task::Index(taken)) = queue.take().unwrap() else {
            panic!("a build is there");
        };
        let forgetting = std::thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.forget_builds(number)
        });
        std::thread::sleep(Duration::from_millis(50));
        assert!(!forgetting.is_finished(), "a build is under way");
        queue.built(taken.of());
        forgetting.join().unwrap().unwrap();
        queue.close();
        assert!(queue.take().unwrap().is_none(), "the other is forgotten");
    }
}
