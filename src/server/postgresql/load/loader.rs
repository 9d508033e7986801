//! Loads tables with the workers: creates the tables, queues the chunks, and completes the tables.

use std::collections::HashSet;
use std::sync::Arc;

use postgres::Client;
use tracing::debug;

use super::constraints;
use super::create::{self, Created};
use super::indexes::{builds, more_builds, staged_index_name, staged_key_name};
use super::settle::is_unsettled;
use super::staged_tables::StagedTables;
use super::staging::{self, LockHolder};
use super::style::{STAGING_SCHEMA, Staged};
use super::update_triggers;
use super::worker::work;
use crate::cancellation::stop;
use crate::dump::Duplicates;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::pipeline::converter::not_null_after_load;
use crate::pipeline::loaded::LoadedTable;
use crate::pipeline::planned_rows::PlannedRows;
use crate::pipeline::sink::Sink;
use crate::pipeline::work_queue::TableCounts;
use crate::pipeline::worker_pool::WorkerPool;
use crate::resources::Resources;
use crate::rows::{Format, PlannedColumn, Widening, loaded_names};
use crate::schema::changed_keys::{foreign_key_note, widening_note};
use crate::schema::ddl;
use crate::schema::{Note, ROW_NUMBER, Table, column_of_another_type, final_names};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::options::ConnectionOptions;
use crate::ui::counts::Counts;

/// Loads tables and rows into the staging schema.
pub struct Loader {
    client: Client,
    pool: WorkerPool,
    tables: Arc<StagedTables>,
    /// The columns whose types the dump has decided, whatever their values are.
    decided: HashSet<(usize, String)>,
    /// The staging schemas that exist.
    schemas: HashSet<String>,
}

impl Loader {
    /// Connects the workers to `target`, whose staging schema `holder` has created.
    pub fn start(
        target: &ConnectionOptions,
        holder: LockHolder,
        resources: &Resources,
        counts: &Counts,
    ) -> Result<Loader> {
        let client = target.connect_for_loading(resources.jobs, holder)?;
        let canceller = target.canceller(&client);
        stop::cancel_with(move || canceller.cancel());
        let mut pool = WorkerPool::new(resources.chunks, counts.clone());
        let jobs = resources.jobs;
        let tables = Arc::new(StagedTables::default());
        for _ in 0..jobs {
            let (target, tables) = (target.clone(), Arc::clone(&tables));
            pool.start_worker(move |queue| work(&target, holder, jobs, queue, &tables))?;
        }
        Ok(Loader {
            client,
            pool,
            tables,
            decided: HashSet::new(),
            schemas: HashSet::from([STAGING_SCHEMA.to_owned()]),
        })
    }

    /// Waits until all rows are loaded and all indexes are built, then completes the tables. Differences are
    /// in the notes of the tables. If `is_stopped` returns true, the running statements are cancelled.
    pub fn finish(mut self, is_stopped: &dyn Fn() -> bool) -> Result<Vec<LoadedTable>> {
        self.pool.finish(is_stopped)?;
        let counts = self.pool.queue.counts();
        counts.begin_phase_of("checking the foreign keys", 0);
        let mut notes = self.pool.queue.notes();
        notes.extend(self.widen_for_foreign_keys()?);
        let counted = self.pool.queue.counted();
        let tables = std::mem::take(&mut *self.tables.lock());
        let mut loaded = Vec::new();
        for (number, mut counted) in counted.into_iter().enumerate() {
            let is_by_values = |it: &Widening| !self.decided.contains(&(number, it.column.clone()));
            counted.widenings.retain(is_by_values);
            let Some(table) = tables.get(number).filter(|table| !table.name.is_empty()) else {
                continue;
            };
            loaded.push(complete_rows(&mut self.client, table, counted)?);
        }
        notes.extend(self.rename_indexes(&tables)?);
        notes.extend(constraints::add_all(&mut self.client, &tables)?);
        notes.extend(update_triggers::create_all(&mut self.client, &tables)?);
        for note in notes {
            if let Some(loaded) = loaded
                .iter_mut()
                .find(|loaded| loaded.shown() == note.table)
            {
                loaded.notes.push(note);
            }
        }
        Ok(loaded)
    }

    /// Gives columns that a foreign key compares with a column of a wider type this type, too.
    fn widen_for_foreign_keys(&mut self) -> Result<Vec<Note>> {
        let mut notes = Vec::new();
        loop {
            let found = column_of_another_type(&self.tables.lock());
            let Some((number, column, to, key)) = found else {
                return Ok(notes);
            };
            let widening = Widening { column, to, row: 0 };
            self.tables.widen(&mut self.client, number, &widening)?;
            let table = self.tables.get(number);
            notes.push(foreign_key_note(&table, &widening.column, to, &key));
        }
    }

    /// Creates the schema for a table that is to be staged, unless it exists.
    fn make_schema(&mut self, staged: &Staged) -> Result<()> {
        if self.schemas.contains(staged.schema()) {
            return Ok(());
        }
        staging::make_schema(&mut self.client, staged.schema())?;
        self.schemas.insert(staged.schema().to_owned());
        Ok(())
    }

    /// Gives the indexes their final names, after the names in all tables are known.
    fn rename_indexes(&mut self, tables: &[Table]) -> Result<Vec<Note>> {
        let tables: Vec<&Table> = tables.iter().collect();
        let (names, notes) = final_names(&tables);
        let mut sql = String::new();
        for (number, (names, table)) in names.iter().zip(&tables).enumerate() {
            let staged = Staged::of(table);
            let key = names
                .primary_key
                .iter()
                .map(|name| (staged_key_name(number), name));
            let indexes = names.indexes.iter().enumerate();
            for (from, to) in
                key.chain(indexes.map(|(at, name)| (staged_index_name(number, at), name)))
            {
                // An index that was left out does not exist.
                let rename = ddl::rename_index(staged.style(), &from, to);
                sql += &rename.replacen("ALTER INDEX", "ALTER INDEX IF EXISTS", 1);
                sql += ";\n";
            }
        }
        self.client
            .batch_execute(&sql)
            .map_err(failure("name the indexes"))?;
        failpoint::reached("indexes named");
        Ok(notes)
    }
}

impl Sink for Loader {
    fn table(&mut self, table: &Table) -> Result<()> {
        self.make_schema(&Staged::of(table))?;
        let renames = !table.renamed_sequences.is_empty();
        let changing = renames.then(|| self.tables.change_names());
        let Created { table, notes } = create::table(&mut self.client, table)?;
        for note in notes {
            self.pool.queue.note(note);
        }
        self.tables.rename_sequences(&table);
        drop(changing);
        failpoint::reached("table created");
        debug!(table = %table.shown(), "created");
        let mut tables = self.tables.lock();
        if let Some(last) = tables.len().checked_sub(1) {
            self.pool.queue.complete_table(last);
        }
        if is_unsettled(&table) {
            self.pool.queue.add_table_to_settle();
        } else {
            self.pool.queue.add_table(builds(&table, tables.len()));
        }
        tables.push(table);
        Ok(())
    }

    fn complete(&mut self, number: usize, table: &Table) -> Result<()> {
        self.tables.lock()[number] = table.clone();
        self.pool.queue.add_builds(number, builds(table, number));
        Ok(())
    }

    fn alter(&mut self, number: usize, before: &Table, after: &Table) -> Result<()> {
        self.pool.queue.wait_for_rows(number)?;
        let notes = self.tables.alter(&mut self.client, number, before, after)?;
        for note in notes {
            self.pool.queue.note(note);
        }
        let table = self.tables.get(number);
        // Otherwise the keys are built when the table is settled.
        if !is_unsettled(&table) {
            let builds = more_builds(&table, number, before);
            self.pool.queue.add_builds(number, builds);
        }
        Ok(())
    }

    fn widen(&mut self, number: usize, widening: &Widening) -> Result<()> {
        self.pool.queue.wait_for_rows(number)?;
        self.decided.insert((number, widening.column.clone()));
        self.tables.widen(&mut self.client, number, widening)
    }

    fn drop_table(&mut self, number: usize) -> Result<()> {
        self.pool.queue.wait_for_rows(number)?;
        self.pool.queue.forget_builds(number)?;
        self.tables.drop_table(&mut self.client, number)
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        self.pool.queue.put(rows)
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.pool.queue.spare()
    }

    const FORMAT: Format = Format::Binary;

    fn statement(&self, table: &Table, columns: &[PlannedColumn], format: Format) -> String {
        let number = (table.duplicates != Duplicates::Refused).then_some(ROW_NUMBER);
        let columns = loaded_names(columns).chain(number);
        ddl::copy_from_stdin(Staged::of(table).style(), &table.name, columns, format)
    }
}

/// The steps that need all rows of `table`.
fn complete_rows(client: &mut Client, table: &Table, counted: TableCounts) -> Result<LoadedTable> {
    let (name, staged) = (table.shown(), Staged::of(table));
    let name = &name;
    if counted.rows_put != counted.rows_committed {
        return Err(Error::failed(format!(
            "{name}: the dump has {} rows, the target took {}",
            counted.rows_put, counted.rows_committed
        )));
    }
    let (not_null, late) = not_null_after_load(table, &counted.tally);
    let mut notes: Vec<Note> = counted
        .widenings
        .iter()
        .map(|widening| widening_note(name, widening))
        .collect();
    notes.extend(late);
    if !not_null.is_empty() {
        client
            .batch_execute(&ddl::set_not_null(staged.style(), &table.name, &not_null))
            .map_err(failure(format!("set NOT NULL in {name}")))?;
        failpoint::reached("NOT NULL set");
    }
    let mut next_value = None;
    if let Some(sequence) = &table.sequence {
        let row = client
            .query_one(
                &ddl::set_sequence(staged.style(), &table.name, sequence),
                &[],
            )
            .map_err(failure(format!("set the sequence {}", sequence.name)))?;
        next_value = Some(row.get(0));
        failpoint::reached("sequence set");
    }
    Ok(LoadedTable {
        schema: table.schema.clone(),
        name: table.name.clone(),
        numbered: table.numbered().map(str::to_owned),
        rows: counted.rows_committed,
        tally: counted.tally,
        contents: counted.contents,
        next_value,
        notes,
        work: counted.work,
    })
}
