//! A worker: one connection that takes tasks from the queue until there are none.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use memchr::memchr_iter;
use mysql::prelude::Queryable;
use mysql::{Conn, LocalInfileHandler};
use tracing::{debug, debug_span, trace};

use super::enums::{Enums, count_empty};
use super::insert::Inserts;
use super::sent::Sent;
use super::staging::{LockHolder, check_holder};
use crate::error::{Error, Place, Result};
use crate::failpoint;
use crate::pipeline::planned_rows::{PlannedRows, TranscodedRows};
use crate::pipeline::row_places::{MAX_ROWS, RowPlaces};
use crate::pipeline::work_queue::{Built, IndexBuild, Task, WorkQueue};
use crate::resources::clear;
use crate::rows::{PlannedColumn, ValueKind};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::mapping::Table;
use crate::server::mysql::message;
use crate::server::mysql::options::ConnectionOptions;
use crate::server::mysql::sql::{identifier, qualified};
use crate::server::mysql::statement::one_statement;
use crate::ui::numbers::grouped;

/// The method for loading rows into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoadMethod {
    /// By LOAD DATA LOCAL.
    LoadData,
    /// INSERTs of limited length, for a server with LOAD DATA LOCAL switched off.
    Insert {
        /// The server's `max_allowed_packet`, without the bytes of the protocol.
        most: usize,
    },
}

/// The part of `max_allowed_packet` that the protocol needs.
const PACKET_BYTES: usize = 1024;

/// The maximum for INSERTs of several rows, because the driver keeps two copies of a statement.
const INSERT_BYTES: usize = 64 * 1024;

impl LoadMethod {
    /// The method that the server of `connection` allows.
    pub(crate) fn of(connection: &mut Conn) -> Result<LoadMethod> {
        let sql = "SELECT @@GLOBAL.local_infile, @@SESSION.max_allowed_packet";
        let found: Option<(u8, usize)> = connection
            .query_first(sql)
            .map_err(failure("ask how rows may be loaded"))?;
        Ok(match found {
            Some((1, _)) | None => LoadMethod::LoadData,
            Some((_, packet)) => LoadMethod::Insert {
                most: packet.saturating_sub(PACKET_BYTES),
            },
        })
    }

    /// The statement for rows of `table` that have `columns`.
    pub(crate) fn statement(
        self,
        database: &str,
        table: &Table,
        columns: &[PlannedColumn],
    ) -> String {
        let into = qualified(database, &table.definition.name);
        let written = columns
            .iter()
            .filter(|column| column.kind != ValueKind::Skipped);
        if matches!(self, LoadMethod::Insert { .. }) {
            let names: Vec<String> = written.map(|column| identifier(&column.name)).collect();
            return format!("INSERT INTO {into} ({}) VALUES ", names.join(","));
        }
        let (mut places, mut sets) = (Vec::new(), Vec::new());
        for (at, column) in written.enumerate() {
            let name = identifier(&column.name);
            let turned_back = match column.kind {
                ValueKind::Bytes => format!("UNHEX(@v{at})"),
                ValueKind::Bits { .. } => format!("CAST(@v{at} AS UNSIGNED)"),
                _ => {
                    places.push(name);
                    continue;
                }
            };
            places.push(format!("@v{at}"));
            sets.push(format!("{name}={turned_back}"));
        }
        let sets = if sets.is_empty() {
            String::new()
        } else {
            format!(" SET {}", sets.join(", "))
        };
        // Writes the defaults of FIELDS and LINES explicitly, so that they do not depend on the session.
        format!(
            "LOAD DATA LOCAL INFILE 'ci-import' INTO TABLE {into} CHARACTER SET utf8mb4 \
             FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' \
             LINES TERMINATED BY '\\n' STARTING BY '' ({}){sets}",
            places.join(",")
        )
    }
}

/// Connects for the import of `holder`. The server checks foreign keys only after all tables are loaded.
pub(crate) fn connect_for_loading(
    target: &ConnectionOptions,
    databases: &Databases,
    holder: LockHolder,
) -> Result<Conn> {
    let mut connection = target.connect_in(&databases.staging)?;
    check_holder(&mut connection, databases, holder)?;
    connection
        .query_drop("SET foreign_key_checks = 0, net_read_timeout = 600, net_write_timeout = 600")
        .map_err(failure("prepare the session"))?;
    Ok(connection)
}

/// Works until the queue is closed and empty, or a worker fails.
pub(crate) fn work(
    target: &ConnectionOptions,
    databases: &Databases,
    holder: LockHolder,
    method: LoadMethod,
    queue: &Arc<WorkQueue>,
    enums: &Arc<Enums>,
) -> Result<()> {
    let mut connection = connect_for_loading(target, databases, holder)?;
    let (id, to_cancel) = (connection.connection_id(), target.clone());
    queue.add_canceller(move || {
        if let Ok(mut connection) = to_cancel.connect() {
            let _ = connection.query_drop(format!("KILL CONNECTION {id}"));
        }
    });
    let feed = Arc::new(Mutex::new(Feed::default()));
    if method == LoadMethod::LoadData {
        connection.set_local_infile_handler(Some(handler(&feed, queue, enums)));
    }
    let mut buffer = Vec::new();
    while let Some(task) = queue.take()? {
        match (task, method) {
            // Nothing of a MySQL table depends on its rows.
            (Task::Settle(table), _) => queue.settled(table, Vec::new()),
            (Task::Rows(rows), LoadMethod::LoadData) => {
                let _in = debug_span!("table", table = %rows.chunk.insert.table).entered();
                load(&mut connection, queue, enums, &feed, rows)?;
            }
            (Task::Rows(rows), LoadMethod::Insert { most }) => {
                let _in = debug_span!("table", table = %rows.chunk.insert.table).entered();
                insert(&mut connection, queue, enums, most, rows, &mut buffer)?;
            }
            (Task::Index(build), _) => {
                let of = build.of();
                let _in = debug_span!("table", table = %build.table).entered();
                let started = Instant::now();
                run_build(&mut connection, build)?;
                let seconds = started.elapsed().as_secs_f64();
                debug!(index = "all", seconds, "built");
                queue.built(of);
            }
        }
    }
    Ok(())
}

fn run_build(connection: &mut Conn, build: IndexBuild) -> Result<()> {
    failpoint::reached("index to be built");
    let Built::By(_, statements) = build.built else {
        return Err(Error::failed("this server builds no such index"));
    };
    for statement in statements {
        one_statement(connection, &statement)
            .map_err(failure(format!("build the indexes of {}", build.table)))?;
    }
    failpoint::reached("index built");
    Ok(())
}

/// The input of a LOAD DATA, and its results so far.
#[derive(Default)]
struct Feed {
    /// The first chunk.
    first: Option<PlannedRows>,
    done: TranscodedRows,
    /// The number of values that their enum does not have.
    empty: u64,
    chunks: usize,
    failed: Option<Error>,
    buffer: Vec<u8>,
}

/// Sends the rows when the server asks for a file, whatever file it names.
fn handler(
    feed: &Arc<Mutex<Feed>>,
    queue: &Arc<WorkQueue>,
    enums: &Arc<Enums>,
) -> LocalInfileHandler {
    let (feed, queue, enums) = (Arc::clone(feed), Arc::clone(queue), Arc::clone(enums));
    LocalInfileHandler::new(move |_, out| {
        let mut feed = feed.lock().unwrap_or_else(PoisonError::into_inner);
        feed.give(&queue, &enums, out).map_err(|error| {
            feed.failed.get_or_insert(error);
            std::io::Error::other("the rows cannot be read")
        })
    })
}

impl Feed {
    /// Writes the first chunk to `out`, and further chunks as long as the queue has some ready for the same
    /// statement.
    fn give(&mut self, queue: &WorkQueue, enums: &Enums, out: &mut dyn Write) -> Result<()> {
        let mut next = self.first.take();
        while let Some(rows) = next {
            let statement = Arc::clone(&rows.statement);
            self.empty += transcode_chunk(rows, queue, enums, &mut self.buffer, &mut self.done)?;
            self.chunks += 1;
            out.write_all(&self.buffer).map_err(|cause| {
                Error::target(format!("the server takes no more rows: {cause}")).caused_by(cause)
            })?;
            clear(&mut self.buffer);
            if self.done.places.as_ref().map_or(0, RowPlaces::rows) < MAX_ROWS {
                next = queue.take_more(&statement)?;
            } else {
                next = None;
            }
        }
        Ok(())
    }
}

/// `error` with the place in the dump of the row that its message names.
fn located(error: Error, table: &str, done: &TranscodedRows) -> Error {
    let whole = error
        .withheld()
        .map_or_else(|| error.to_string(), str::to_owned);
    // The server's number is behind its message.
    let said = whole.rsplit_once(" (").map_or(&*whole, |(said, _)| said);
    let row = message::row(said).zip(done.places.as_ref());
    let Some(place) = row.and_then(|(line, places)| places.of_line(line)) else {
        return error;
    };
    let column = message::column(said);
    error.at_place(Place {
        name: table.to_owned(),
        row: Some(place),
        column,
    })
}

/// Appends the lines of a chunk to `buffer`, counts and hashes them. Returns the number of values that their
/// enum does not have.
fn transcode_chunk(
    rows: PlannedRows,
    queue: &WorkQueue,
    enums: &Enums,
    buffer: &mut Vec<u8>,
    done: &mut TranscodedRows,
) -> Result<u64> {
    let before = buffer.len();
    // No type of a MySQL server is too narrow for values of MySQL.
    rows.transcode(&[], buffer, done)?;
    let PlannedRows {
        table, plan, chunk, ..
    } = rows;
    queue.give_back(chunk.bytes);
    Ok(count_empty(&enums.of(table), &plan, &buffer[before..]))
}

/// Loads `first`, and the chunks that follow for the same statement, by one LOAD DATA.
fn load(
    connection: &mut Conn,
    queue: &WorkQueue,
    enums: &Enums,
    feed: &Mutex<Feed>,
    first: PlannedRows,
) -> Result<()> {
    let (table, statement) = (first.table, Arc::clone(&first.statement));
    let name = first.chunk.insert.table.clone();
    failpoint::reached("rows to be copied");
    let lock = || feed.lock().unwrap_or_else(PoisonError::into_inner);
    let buffer = std::mem::take(&mut lock().buffer);
    *lock() = Feed {
        first: Some(first),
        buffer,
        done: TranscodedRows {
            places: Some(RowPlaces::default()),
            ..TranscodedRows::default()
        },
        ..Feed::default()
    };
    let outcome = connection.query_drop(&*statement);
    let mut feed = lock();
    // The cause why the rows could not be read is clearer than the driver's error.
    if let Some(error) = feed.failed.take() {
        return Err(error);
    }
    outcome
        .map_err(failure(format!("load {name}")))
        .map_err(|error| located(error, &name, &feed.done))?;
    failpoint::reached("rows copied");
    let (done, chunks) = (std::mem::take(&mut feed.done), feed.chunks);
    let sent = Sent {
        table: &name,
        enums: &enums.of(table),
        rows: done.rows,
        empty: feed.empty,
    };
    sent.check(connection)
        .map_err(|error| located(error, &name, &done))?;
    trace!(rows = done.rows, chunks, "rows committed");
    queue.committed(table, chunks, &done);
    failpoint::reached("rows committed");
    Ok(())
}

/// Sets whether the server refuses values that it would have to change, or only warns.
fn set_strict(connection: &mut Conn, strict: bool) -> Result<()> {
    let mode = if strict {
        "CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
    } else {
        "REPLACE(@@sql_mode, 'STRICT_ALL_TABLES', '')"
    };
    connection
        .query_drop(format!("SET sql_mode = {mode}"))
        .map_err(failure("prepare the session"))
}

/// Loads a chunk by INSERTs.
fn insert(
    connection: &mut Conn,
    queue: &WorkQueue,
    enums: &Enums,
    most: usize,
    rows: PlannedRows,
    buffer: &mut Vec<u8>,
) -> Result<()> {
    let (table, head, plan) = (
        rows.table,
        Arc::clone(&rows.statement),
        Arc::clone(&rows.plan),
    );
    let (name, first_row) = (rows.chunk.insert.table.clone(), rows.chunk.first_row);
    failpoint::reached("rows to be copied");
    buffer.clear();
    let mut done = TranscodedRows::default();
    let empty = transcode_chunk(rows, queue, enums, buffer, &mut done)?;
    if empty > 0 {
        // In strict mode the values of enums would be errors; LOAD DATA LOCAL has no strict mode.
        set_strict(connection, false)?;
    }
    let enums = &enums.of(table);
    let run = |connection: &mut Conn, sql: &str| {
        let done = connection.query_drop(sql);
        done.map_err(failure(format!("load {name}")))
    };
    // One transaction for each chunk, because each commit waits for the server's disk.
    run(connection, "START TRANSACTION")?;
    let mut inserts = Inserts::new(&head, &plan, buffer, most.min(INSERT_BYTES));
    let (mut taken, mut before) = (0, inserts.lines());
    while let Some(statement) = inserts.next() {
        if statement.len() > most {
            return Err(too_large(&name, first_row + taken, statement.len(), most));
        }
        let statement = std::str::from_utf8(statement)
            .map_err(|_| Error::failed(format!("{name}: a text is not valid UTF-8")))?;
        run(connection, statement)?;
        let lines = &before[..before.len() - inserts.lines().len()];
        before = inserts.lines();
        let sent = Sent {
            table: &name,
            enums,
            rows: memchr_iter(b'\n', lines).count() as u64,
            empty: count_empty(enums, &plan, lines),
        };
        sent.check(connection)?;
        taken += sent.rows;
    }
    run(connection, "COMMIT")?;
    clear(buffer);
    if empty > 0 {
        set_strict(connection, true)?;
    }
    failpoint::reached("rows copied");
    trace!(rows = done.rows, chunks = 1, "rows committed");
    queue.committed(table, 1, &done);
    failpoint::reached("rows committed");
    Ok(())
}

/// The error for a single row that is longer than a statement may be.
fn too_large(table: &str, row: u64, bytes: usize, most: usize) -> Error {
    let (bytes, most) = (grouped(bytes as u64), grouped(most as u64));
    Error::target(format!(
        "{table} row {row}: its INSERT has {bytes} bytes, and the server takes {most}"
    ))
    .hint("raise max_allowed_packet of the server, or switch its local_infile on")
}
