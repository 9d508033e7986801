//! Loads tables with the workers: creates the tables, queues the chunks, and completes the tables.

use std::collections::HashSet;
use std::sync::Arc;

use mysql::Conn;
use mysql::prelude::Queryable;
use tracing::debug;

use super::constraints;
use super::create;
use super::enums::Enums;
use super::staging::LockHolder;
use super::worker::{LoadMethod, connect_for_loading, work};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::pipeline::loaded::LoadedTable;
use crate::pipeline::planned_rows::PlannedRows;
use crate::pipeline::sink::Sink;
use crate::pipeline::work_queue::{Built, IndexBuild, TableCounts};
use crate::pipeline::worker_pool::WorkerPool;
use crate::resources::Resources;
use crate::rows::{Format, PlannedColumn};
use crate::schema::Note;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::ddl;
use crate::server::mysql::error::failure;
use crate::server::mysql::mapping::Table;
use crate::server::mysql::options::ConnectionOptions;
use crate::server::mysql::sql::{literal, qualified};
use crate::server::mysql::statement::one_statement;
use crate::ui::counts::Counts;

/// Loads tables and rows into the staging database.
pub struct Loader {
    connection: Conn,
    staging: String,
    method: LoadMethod,
    pool: WorkerPool,
    tables: Vec<Table>,
    /// The numbers of the tables whose changes wait with their keys.
    changing: HashSet<usize>,
    enums: Arc<Enums>,
}

impl Loader {
    /// Connects the workers to `target`, whose staging database `holder` has created.
    pub fn start(
        target: &ConnectionOptions,
        databases: &Databases,
        holder: LockHolder,
        resources: &Resources,
        counts: &Counts,
    ) -> Result<Loader> {
        let mut connection = connect_for_loading(target, databases, holder)?;
        let method = LoadMethod::of(&mut connection)?;
        let enums = Arc::<Enums>::default();
        let mut pool = WorkerPool::new(resources.chunks, counts.clone());
        for _ in 0..resources.jobs {
            let (target, databases) = (target.clone(), databases.clone());
            let enums = Arc::clone(&enums);
            pool.start_worker(move |queue| {
                work(&target, &databases, holder, method, queue, &enums)
            })?;
        }
        Ok(Loader {
            connection,
            staging: databases.staging.clone(),
            method,
            pool,
            tables: Vec::new(),
            changing: HashSet::new(),
            enums,
        })
    }

    /// Waits until all rows are loaded and all keys are built, then completes the tables. Differences are in
    /// the notes of the tables. If `is_stopped` returns true, the running statements are cancelled.
    pub fn finish(mut self, is_stopped: &dyn Fn() -> bool) -> Result<Vec<LoadedTable>> {
        self.pool.finish(is_stopped)?;
        let counted = self.pool.queue.counted();
        let tables = std::mem::take(&mut self.tables);
        let told = self.pool.queue.notes();
        let counts = self.pool.queue.counts().clone();
        counts.begin_phase_of("adding constraints, analyzing", tables.len());
        let mut loaded = Vec::new();
        // Those without a name were dropped.
        let is_there = |(table, _): &(&Table, TableCounts)| !table.definition.name.is_empty();
        for (table, counted) in tables.iter().zip(counted).filter(is_there) {
            counts.begin_step(&table.definition.name);
            let of_it = |note: &&Note| note.table == table.definition.name;
            let mut notes: Vec<Note> = told.iter().filter(of_it).cloned().collect();
            notes.extend(constraints::add(
                &mut self.connection,
                &self.staging,
                table,
                &tables,
            )?);
            loaded.push(self.complete(table, counted, notes)?);
            counts.end_step();
        }
        Ok(loaded)
    }

    fn note_left_out(&self, table: &str, keys: Vec<String>) {
        for key in keys {
            self.pool.queue.note(Note {
                code: Code::IndexLeftOut,
                table: table.to_owned(),
                item: Some(key),
                what: "the index was left out: its expression is not supported".to_owned(),
            });
        }
    }

    fn complete(
        &mut self,
        table: &Table,
        counted: TableCounts,
        notes: Vec<Note>,
    ) -> Result<LoadedTable> {
        let name = &table.definition.name;
        if counted.rows_put != counted.rows_committed {
            return Err(Error::failed(format!(
                "{name}: the dump has {} rows, the target took {}",
                counted.rows_put, counted.rows_committed
            )));
        }
        // The statistics move with the table. What the server counts while rows come is of too few of them.
        let analyze = format!("ANALYZE LOCAL TABLE {}", qualified(&self.staging, name));
        self.connection
            .query_drop(analyze)
            .map_err(failure(format!("analyze {name}")))?;
        let numbered = table.numbered().map(str::to_owned);
        let next_value = match &numbered {
            Some(_) => next_value(&mut self.connection, &self.staging, name)?,
            None => None,
        };
        Ok(LoadedTable {
            schema: None,
            name: name.clone(),
            numbered,
            rows: counted.rows_committed,
            tally: counted.tally,
            next_value,
            contents: counted.contents,
            notes,
            work: counted.work,
        })
    }
}

impl Sink<Table> for Loader {
    const FORMAT: Format = Format::LoadData;

    fn table(&mut self, table: &Table) -> Result<()> {
        let (table, notes) = create::table(&mut self.connection, &self.staging, table)?;
        for note in notes {
            self.pool.queue.note(note);
        }
        let definition = &table.definition;
        let name = &definition.name;
        failpoint::reached("table created");
        debug!(table = %name, "created");
        if let Some(last) = self.tables.len().checked_sub(1) {
            self.pool.queue.complete_table(last);
        }
        let (statements, left_out) = ddl::late_keys(&self.staging, definition);
        self.note_left_out(name, left_out);
        // One worker builds all keys of a table, so that keys of one kind keep their order. ALTERs of one
        // table would wait for each other anyway.
        let build = (!statements.is_empty()).then(|| IndexBuild {
            table: name.clone(),
            name: "all".to_owned(),
            built: Built::By(self.tables.len(), statements),
        });
        self.pool.queue.add_table(build.into_iter().collect());
        self.enums.add(&table);
        self.tables.push(table);
        Ok(())
    }

    fn complete(&mut self, _: usize, table: &Table) -> Result<()> {
        // In a MySQL dump the keys are in the definition of the table.
        let name = &table.definition.name;
        Err(Error::failed(format!("{name}: keys came after the rows")))
    }

    fn alter(&mut self, number: usize, before: &Table, after: &Table) -> Result<()> {
        let (before, after) = (&before.definition, &after.definition);
        let (statements, left_out) = ddl::alter_table(&self.staging, before, after);
        self.note_left_out(&after.name, left_out);
        if !statements.is_empty() {
            let queue = &self.pool.queue;
            queue.build_next(number, &after.name, statements)?;
            self.changing.insert(number);
        }
        self.tables[number].definition = after.clone();
        Ok(())
    }

    fn drop_table(&mut self, number: usize) -> Result<()> {
        self.pool.queue.wait_for_rows(number)?;
        self.pool.queue.forget_builds(number)?;
        self.changing.remove(&number);
        let name = std::mem::take(&mut self.tables[number].definition.name);
        let drop = format!("DROP TABLE {}", qualified(&self.staging, &name));
        one_statement(&mut self.connection, &drop)
            .map_err(failure(format!("drop the table {name}")))
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        // They get the defaults that the table has now.
        if !self.changing.is_empty() && self.changing.remove(&rows.table) {
            self.pool.queue.wait_for_builds(rows.table)?;
        }
        self.pool.queue.put(rows)
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.pool.queue.spare()
    }

    fn statement(&self, table: &Table, columns: &[PlannedColumn], _: Format) -> String {
        self.method.statement(&self.staging, table, columns)
    }
}

/// The next value of the AUTO_INCREMENT column of `table`. If it is too large for `i64`, the largest value in
/// the table.
pub(crate) fn next_value(
    connection: &mut Conn,
    database: &str,
    table: &str,
) -> Result<Option<i64>> {
    // MySQL still reports a number for a table whose column has lost AUTO_INCREMENT.
    let place = format!(
        "TABLE_SCHEMA = {} AND TABLE_NAME = {}",
        literal(database),
        literal(table)
    );
    let sql = format!(
        "SELECT CAST(LEAST(AUTO_INCREMENT, {}) AS SIGNED) FROM information_schema.TABLES
         WHERE {place} AND EXISTS (SELECT 1 FROM information_schema.COLUMNS
                                   WHERE {place} AND EXTRA LIKE '%auto_increment%')",
        i64::MAX
    );
    let next: Option<Option<i64>> = connection
        .query_first(sql)
        .map_err(failure(format!("look at AUTO_INCREMENT of {table}")))?;
    Ok(next.flatten())
}
