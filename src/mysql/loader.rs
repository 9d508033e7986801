//! Drives the workers: creates tables, hands out chunks, and completes what is loaded.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::convert::Sink;
use super::databases::Databases;
use super::ddl;
use super::enums::Enums;
use super::failure::failure;
use super::sql::literal;
use super::staging::Owner;
use super::statement::one_statement;
use super::table::Table;
use super::target::Target;
use super::worker::{Way, connect_for_loading, work};
use crate::board::{Board, Build, Counted};
use crate::convert::PlannedRows;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::loaded::LoadedTable;
use crate::resources::Resources;
use crate::rows::PlannedColumn;
use crate::schema::Note;

/// How often it is looked at whether the workers have finished.
const PATIENCE: Duration = Duration::from_millis(10);

/// Loads what it is given into the staging database.
pub struct Loader {
    connection: Conn,
    staging: String,
    way: Way,
    board: Arc<Board>,
    workers: Vec<JoinHandle<()>>,
    tables: Vec<Table>,
    enums: Arc<Enums>,
}

impl Loader {
    /// Connects the workers to `target`, whose staging database `owner` has made.
    pub fn start(
        target: &Target,
        databases: &Databases,
        owner: Owner,
        resources: &Resources,
    ) -> Result<Loader> {
        let mut connection = connect_for_loading(target, databases, owner)?;
        let board = Arc::new(Board::new(resources.chunks));
        let mut loader = Loader {
            way: Way::of(&mut connection)?,
            connection,
            staging: databases.staging.clone(),
            board,
            workers: Vec::new(),
            tables: Vec::new(),
            enums: Arc::default(),
        };
        for number in 0..resources.jobs {
            let (target, databases, way) = (target.clone(), databases.clone(), loader.way);
            let (board, enums) = (Arc::clone(&loader.board), Arc::clone(&loader.enums));
            let worker = std::thread::Builder::new()
                .name(format!("load-{number}"))
                .spawn(move || work(&target, &databases, owner, way, &board, &enums))
                .map_err(|cause| Error::failed(format!("cannot start a thread: {cause}")))?;
            loader.workers.push(worker);
        }
        Ok(loader)
    }

    /// Waits until all rows are in and all keys are built, then completes the tables. What came out
    /// differently is in the notes of the tables. As soon as `is_stopped` says so, what still runs on
    /// the server is cancelled.
    pub fn finish(mut self, is_stopped: &dyn Fn() -> bool) -> Result<Vec<LoadedTable>> {
        self.board.close();
        while self.workers.iter().any(|worker| !worker.is_finished()) {
            if is_stopped() {
                self.board.fail(Error::interrupted());
            }
            if self.board.failure().is_some() {
                self.board.cancel_all();
            }
            std::thread::sleep(PATIENCE);
        }
        self.join()?;
        let counted = self.board.counted();
        let tables = std::mem::take(&mut self.tables);
        let mut loaded = Vec::new();
        for (table, counted) in tables.iter().zip(counted) {
            let notes = self.constrain(table, &tables)?;
            loaded.push(self.complete(table, counted, notes)?);
        }
        Ok(loaded)
    }

    /// Adds the CHECKs and foreign keys of `table`; the notes are of those that could not be. Foreign
    /// keys are not held against the rows, as mysqldump's own files would not.
    fn constrain(&mut self, table: &Table, tables: &[Table]) -> Result<Vec<Note>> {
        let definition = &table.definition;
        let name = &definition.name;
        let mut notes = Vec::new();
        let mut note = |item: Option<&str>, what: String| {
            notes.push(Note {
                table: name.clone(),
                item: item.map(str::to_owned),
                what,
            });
        };
        for (check, expression) in ddl::late_checks(definition) {
            let sql = ddl::add_check(&self.staging, definition, check, expression);
            let Some(sql) = sql else { continue };
            match one_statement(&mut self.connection, &sql) {
                // A row breaks it, by MariaDB's number and by MySQL's.
                Err(mysql::Error::MySqlError(cause)) if [4025, 3819].contains(&cause.code) => {
                    note(check, "CHECK left out: rows break it".to_owned());
                }
                done => done.map_err(failure(format!("add a CHECK to {name}")))?,
            }
            failpoint::reached("constraint added");
        }
        for key in &definition.foreign_keys {
            let item = key.name.as_deref();
            let is_here = |other: &Table| other.definition.name == key.references;
            if !tables.iter().any(is_here) {
                note(
                    item,
                    format!("foreign key left out: there is no table {}", key.references),
                );
                continue;
            }
            let sql = ddl::add_foreign_key(&self.staging, name, key);
            if let Err(cause) = one_statement(&mut self.connection, &sql) {
                if !matches!(cause, mysql::Error::MySqlError(_)) {
                    return Err(failure(format!("add a foreign key to {name}"))(cause));
                }
                note(item, format!("foreign key left out: {cause}"));
            }
            failpoint::reached("constraint added");
        }
        Ok(notes)
    }

    fn complete(
        &mut self,
        table: &Table,
        counted: Counted,
        notes: Vec<Note>,
    ) -> Result<LoadedTable> {
        let name = &table.definition.name;
        if counted.rows_put != counted.rows_committed {
            return Err(Error::failed(format!(
                "{name}: the dump has {} rows, the target took {}",
                counted.rows_put, counted.rows_committed
            )));
        }
        let numbered = table.numbered().map(str::to_owned);
        let next_value = match &numbered {
            Some(_) => next_value(&mut self.connection, &self.staging, name)?,
            None => None,
        };
        Ok(LoadedTable {
            name: name.clone(),
            numbered,
            rows: counted.rows_committed,
            tally: counted.tally,
            next_value,
            contents: counted.contents,
            notes,
        })
    }

    fn join(&mut self) -> Result<()> {
        if self.board.failure().is_some() {
            self.board.cancel_all();
        }
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
        let definition = &table.definition;
        let name = &definition.name;
        let sql = ddl::create_table(&self.staging, definition);
        one_statement(&mut self.connection, &sql)
            .map_err(failure(format!("create the table {name}")))?;
        failpoint::reached("table created");
        if let Some(last) = self.tables.len().checked_sub(1) {
            self.board.complete_table(last);
        }
        let (statements, left_out) = ddl::late_keys(&self.staging, definition);
        for key in left_out {
            self.board.note(Note {
                table: name.clone(),
                item: Some(key),
                what: "the index was left out: its expression is not known here".to_owned(),
            });
        }
        let build = |statement| Build {
            table: name.clone(),
            name: "all".to_owned(),
            statements: vec![statement],
            fallback: None,
        };
        self.board
            .add_table(statements.into_iter().map(build).collect());
        self.enums.add(table);
        self.tables.push(table.clone());
        Ok(())
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        self.board.put(rows)
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.board.spare()
    }

    fn statement(&self, table: &Table, columns: &[PlannedColumn]) -> String {
        self.way.statement(&self.staging, table, columns)
    }
}

/// The value that the AUTO_INCREMENT column of `table` gets next; of those too large for `i64`, the largest
/// it has.
pub(super) fn next_value(
    connection: &mut Conn,
    database: &str,
    table: &str,
) -> Result<Option<i64>> {
    let sql = format!(
        "SELECT CAST(LEAST(AUTO_INCREMENT, {}) AS SIGNED) FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
        i64::MAX,
        literal(database),
        literal(table)
    );
    let next: Option<Option<i64>> = connection
        .query_first(sql)
        .map_err(failure(format!("look at AUTO_INCREMENT of {table}")))?;
    Ok(next.flatten())
}
