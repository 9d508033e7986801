//! Drives the workers: creates tables, hands out chunks, and completes what is loaded.

use std::sync::Arc;
use std::thread::JoinHandle;

use postgres::Client;

use super::board::{Board, Build, Counted};
use super::failure::failure;
use super::staging::STAGING_SCHEMA;
use super::target::Target;
use super::worker::work;
use crate::convert::{PlannedRows, Sink};
use crate::error::{Error, Result};
use crate::rows::{Change, Tally};
use crate::schema::{Note, Table, ddl};

/// How many chunks may wait for each worker.
const CHUNKS_PER_WORKER: usize = 4;

/// A table that was loaded.
#[derive(Debug, Clone)]
pub struct LoadedTable {
    /// The table.
    pub table: Table,
    /// How many rows it has.
    pub rows: u64,
    /// What was changed in them.
    pub tally: Tally,
    /// The value its sequence gives next.
    pub next_value: Option<i64>,
    /// What came out differently because of the rows.
    pub notes: Vec<Note>,
}

/// Loads what it is given into the staging schema.
pub struct Loader {
    client: Client,
    board: Arc<Board>,
    workers: Vec<JoinHandle<()>>,
    tables: Vec<Table>,
}

impl Loader {
    /// Connects `jobs` workers to `target`, whose staging schema exists.
    pub fn start(target: &Target, jobs: usize) -> Result<Loader> {
        let client = target.connect_for_loading()?;
        let board = Arc::new(Board::new(jobs * CHUNKS_PER_WORKER));
        let mut loader = Loader {
            client,
            board,
            workers: Vec::new(),
            tables: Vec::new(),
        };
        for number in 0..jobs {
            let (target, board) = (target.clone(), Arc::clone(&loader.board));
            let worker = std::thread::Builder::new()
                .name(format!("load-{number}"))
                .spawn(move || work(&target, &board))
                .map_err(|cause| Error::failed(format!("cannot start a thread: {cause}")))?;
            loader.workers.push(worker);
        }
        Ok(loader)
    }

    /// Waits until all rows are in and all indexes are built, then sets sequences and NOT NULLs,
    /// adds foreign keys, and compares the counts.
    pub fn finish(mut self) -> Result<Vec<LoadedTable>> {
        self.board.close();
        self.join()?;
        let counted = self.board.counted();
        let tables = std::mem::take(&mut self.tables);
        let mut loaded = Vec::new();
        for (table, counted) in tables.into_iter().zip(counted) {
            loaded.push(complete(&mut self.client, table, counted)?);
        }
        for LoadedTable { table, .. } in &loaded {
            for key in &table.foreign_keys {
                let sql = ddl::add_foreign_key(STAGING_SCHEMA, &table.name, key);
                let doing = format!("add the foreign key {} of {}", key.name, table.name);
                self.client.batch_execute(&sql).map_err(failure(doing))?;
            }
        }
        Ok(loaded)
    }

    fn join(&mut self) -> Result<()> {
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                self.board
                    .fail(Error::failed("a worker of the load crashed"));
            }
        }
        self.board.failure().map_or(Ok(()), Err)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        if !self.workers.is_empty() {
            self.board.fail(Error::failed("the load was given up"));
            let _ = self.join();
        }
    }
}

impl Sink for Loader {
    fn table(&mut self, table: &Table) -> Result<()> {
        let sql = ddl::create_table(STAGING_SCHEMA, table);
        self.client
            .batch_execute(&sql)
            .map_err(failure(format!("create the table {}", table.name)))?;
        if let Some(last) = self.tables.len().checked_sub(1) {
            self.board.complete_table(last);
        }
        let build = |statements: Vec<String>| Build {
            table: table.name.clone(),
            statements,
        };
        let key = table.primary_key.iter();
        let indexes = table.indexes.iter();
        let builds = key
            .map(|key| build(ddl::primary_key(STAGING_SCHEMA, &table.name, key).to_vec()))
            .chain(
                indexes.map(|index| build(ddl::create_index(STAGING_SCHEMA, &table.name, index))),
            )
            .collect();
        self.board.add_table(builds);
        self.tables.push(table.clone());
        Ok(())
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        self.board.put(rows)
    }

    fn copy_statement(&self, table: &Table, columns: &[&str]) -> String {
        ddl::copy_from_stdin(STAGING_SCHEMA, &table.name, columns.iter().copied())
    }
}

/// What can only be done when all rows of `table` are in.
fn complete(client: &mut Client, table: Table, counted: Counted) -> Result<LoadedTable> {
    let name = &table.name;
    if counted.rows_put != counted.rows_committed {
        return Err(Error::failed(format!(
            "{name}: the dump has {} rows, the target took {}",
            counted.rows_put, counted.rows_committed
        )));
    }
    let mut notes = Vec::new();
    let mut not_null = Vec::new();
    for column in table
        .columns
        .iter()
        .filter(|column| column.not_null_after_load)
    {
        if counted.tally.has(&column.name, Change::ZeroDateToNull) {
            notes.push(Note {
                table: name.clone(),
                item: Some(column.name.clone()),
                what: "NOT NULL left out, because of the zero dates".to_owned(),
            });
        } else {
            not_null.push(column.name.as_str());
        }
    }
    if !not_null.is_empty() {
        client
            .batch_execute(&ddl::set_not_null(STAGING_SCHEMA, name, &not_null))
            .map_err(failure(format!("set NOT NULL in {name}")))?;
    }
    let mut next_value = None;
    if let Some(sequence) = &table.sequence {
        let row = client
            .query_one(&ddl::set_sequence(STAGING_SCHEMA, name, sequence), &[])
            .map_err(failure(format!("set the sequence {}", sequence.name)))?;
        next_value = Some(row.get(0));
    }
    Ok(LoadedTable {
        rows: counted.rows_committed,
        tally: counted.tally,
        next_value,
        notes,
        table,
    })
}
