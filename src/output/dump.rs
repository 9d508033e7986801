//! Writes a dump for PostgreSQL: definitions, COPY blocks, then indexes, sequences, constraints.
//!
//! A thread pool transcodes and compresses the chunks; they are written in order. A compressed dump is a sequence of
//! gzip streams, which every reader reads as one (RFC 1952, 2.2).

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::dump::postgresql::{CONVERTED, CONVERTED_COMPLETE, GIVEN_UP};
use crate::error::{Error, Result};
use crate::pipeline::converter::not_null_after_load;
use crate::pipeline::planned_rows::{PlannedRows, placed};
use crate::pipeline::sink::Sink;
use crate::resources::{MAX_SPARE_BYTES, Resources};
use crate::rows::{Format, PlannedColumn, Tally, loaded_names, transcode};
use crate::schema::ddl::{self, Style};
use crate::schema::{Note, Table, final_names, resolve_foreign_key};

/// The style that PostgreSQL 9 can read, too.
const STYLE: Style<'_> = Style {
    schema: None,
    typed_sequences: false,
};

const HEAD: &str = "\
SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
";

/// The count of rows and the changes of each table.
type Counts = Vec<(u64, Tally)>;

/// Work for the writer thread.
enum Piece {
    Text(String),
    /// All rows are written: NOT NULL for the columns of these tables that allow it.
    NotNull(Vec<Table>),
    /// Rows for this COPY of the table with this number; `done` gives them when they are transcoded.
    Rows {
        table: usize,
        copy: Arc<str>,
        done: Receiver<Result<Transcoded>>,
    },
}

/// A chunk as it will be written.
struct Transcoded {
    lines: Vec<u8>,
    rows: u64,
    tally: Tally,
    /// The chunk's buffer, for reuse.
    chunk: Vec<u8>,
}

/// Buffers for reuse: of chunks, and of lines.
struct Spares {
    chunks: Receiver<Vec<u8>>,
    lines: Receiver<Vec<u8>>,
}

/// A table that was written.
#[derive(Debug)]
pub struct WrittenTable {
    /// The table.
    pub table: Table,
    /// How many rows it has.
    pub rows: u64,
    /// The changes of their values.
    pub tally: Tally,
}

/// A sink that writes a dump.
pub struct DumpWriter {
    pieces: Option<SyncSender<Piece>>,
    writer: Option<JoinHandle<Result<Counts>>>,
    pool: ThreadPool,
    spares: Spares,
    compressed: bool,
    tables: Vec<Table>,
}

impl DumpWriter {
    /// A writer to `out`, compressed or not.
    pub fn start(
        out: Box<dyn Write + Send>,
        compressed: bool,
        resources: &Resources,
    ) -> Result<DumpWriter> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(resources.jobs)
            .thread_name(|number| format!("transcode-{number}"))
            // The writer that waits for the chunk sees the closed channel.
            .panic_handler(|_| ())
            .build()
            .map_err(|cause| {
                Error::failed(format!("cannot start threads: {cause}")).caused_by(cause)
            })?;
        let (pieces, received) = sync_channel::<Piece>(resources.chunks);
        let (chunks, spare_chunks) = channel();
        let (lines, spare_lines) = channel();
        let writer = std::thread::spawn(move || {
            let mut output = Output {
                out,
                compressed,
                open: None,
                chunks,
                lines,
                counted: Vec::new(),
            };
            for piece in received {
                match piece {
                    Piece::Text(text) => output.text(&text)?,
                    Piece::NotNull(tables) => output.not_null(&tables)?,
                    Piece::Rows { table, copy, done } => {
                        if let Err(error) = output.rows(table, copy, &done) {
                            let _ = output.text(&format!("{GIVEN_UP};\n"));
                            return Err(error);
                        }
                    }
                }
            }
            output.out.flush().map_err(cannot_write)?;
            Ok(output.counted)
        });
        let mut dump = DumpWriter {
            pieces: Some(pieces),
            writer: Some(writer),
            pool,
            spares: Spares {
                chunks: spare_chunks,
                lines: spare_lines,
            },
            compressed,
            tables: Vec::new(),
        };
        let version = env!("CARGO_PKG_VERSION");
        let _ = dump.send(Piece::Text(format!("-- {CONVERTED}{version}\n\n{HEAD}")));
        Ok(dump)
    }

    /// Completes the dump. Returns the tables, and notes of what came out differently.
    pub fn finish(mut self) -> Result<(Vec<WrittenTable>, Vec<Note>)> {
        let tables: Vec<&Table> = self.tables.iter().collect();
        let (names, mut notes) = final_names(&tables);
        let mut sql = String::new();
        for (table, names) in tables.iter().zip(&names) {
            sql += "\n";
            if let (Some(key), Some(name)) = (&table.primary_key, &names.primary_key) {
                let key = ddl::add_primary_key(STYLE, &table.name, key, name);
                statements(&mut sql, &[key]);
            }
            for (index, name) in table.indexes.iter().zip(&names.indexes) {
                statements(
                    &mut sql,
                    &ddl::create_index(STYLE, &table.name, index, name),
                );
            }
            if let Some(sequence) = &table.sequence {
                let set = ddl::set_sequence_in_dump(STYLE, &table.name, sequence);
                statements(&mut sql, &set);
            }
            for check in &table.checks {
                statements(&mut sql, &[ddl::add_check(STYLE, &table.name, check)]);
            }
        }
        for table in &tables {
            for key in &table.foreign_keys {
                match resolve_foreign_key(&tables, key) {
                    Ok(key) => {
                        statements(&mut sql, &[ddl::add_foreign_key(STYLE, &table.name, &key)]);
                    }
                    Err(why) => notes.push(Note {
                        table: table.name.clone(),
                        item: Some(key.name.clone()),
                        what: format!("foreign key left out: {why}"),
                    }),
                }
            }
        }
        self.send(Piece::NotNull(self.tables.clone()))?;
        self.send(Piece::Text(sql))?;
        self.send(Piece::Text(format!("\n-- {CONVERTED_COMPLETE}\n")))?;
        let counted = self.join()?;
        let tables = std::mem::take(&mut self.tables);
        let written = tables.into_iter().enumerate().map(|(number, table)| {
            let (rows, tally) = counted.get(number).cloned().unwrap_or_default();
            let (_, late) = not_null_after_load(&table, &tally);
            notes.extend(late);
            WrittenTable { table, rows, tally }
        });
        Ok((written.collect(), notes))
    }

    fn send(&mut self, piece: Piece) -> Result<()> {
        let sent = self
            .pieces
            .as_ref()
            .is_some_and(|pieces| pieces.send(piece).is_ok());
        if sent {
            Ok(())
        } else {
            self.join()
                .and(Err(Error::failed("the writer has stopped")))
        }
    }

    fn join(&mut self) -> Result<Counts> {
        self.pieces = None;
        let Some(writer) = self.writer.take() else {
            return Ok(Vec::new());
        };
        writer
            .join()
            .unwrap_or_else(|_| Err(Error::failed("the writer of the dump crashed")))
    }
}

impl Drop for DumpWriter {
    fn drop(&mut self) {
        if self.writer.is_some() {
            let _ = self.send(Piece::Text(format!("{GIVEN_UP};\n")));
            let _ = self.join();
        }
    }
}

impl Sink for DumpWriter {
    fn table(&mut self, table: &Table) -> Result<()> {
        let mut sql = format!("\nDROP TABLE IF EXISTS {};\n", STYLE.name(&table.name));
        if let Some(sequence) = &table.sequence {
            sql += &format!("DROP SEQUENCE IF EXISTS {};\n", STYLE.name(&sequence.name));
        }
        for enum_type in &table.enum_types {
            sql += &format!("DROP TYPE IF EXISTS {};\n", STYLE.name(&enum_type.name));
        }
        statements(&mut sql, &ddl::create_table(STYLE, table));
        self.tables.push(table.clone());
        self.send(Piece::Text(sql))
    }

    fn complete(&mut self, number: usize, table: &Table) -> Result<()> {
        self.tables[number] = table.clone();
        Ok(())
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        let (send, done) = sync_channel(1);
        let (table, copy, compressed) = (rows.table, Arc::clone(&rows.statement), self.compressed);
        let lines = self.spares.lines.try_recv().unwrap_or_default();
        self.pool
            .spawn(move || _ = send.send(transcoded(rows, lines, compressed)));
        self.send(Piece::Rows { table, copy, done })
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.spares.chunks.try_recv().ok()
    }

    const FORMAT: Format = Format::Text;

    fn statement(&self, table: &Table, columns: &[PlannedColumn], format: Format) -> String {
        ddl::copy_from_stdin(STYLE, &table.name, loaded_names(columns), format)
    }
}

/// The transcoded chunk, in the buffer `lines`.
fn transcoded(rows: PlannedRows, mut lines: Vec<u8>, compressed: bool) -> Result<Transcoded> {
    let PlannedRows { plan, chunk, .. } = rows;
    let mut tally = Tally::default();
    lines.clear();
    let count = transcode(&plan, &chunk.bytes, chunk.first_row, &mut lines, &mut tally)
        .map_err(|error| placed(&chunk, error))?;
    if compressed {
        lines = packed(&lines, compressed)?.into_owned();
    }
    Ok(Transcoded {
        lines,
        rows: count,
        tally,
        chunk: chunk.bytes,
    })
}

fn statements(sql: &mut String, statements: &[String]) {
    for statement in statements {
        *sql += statement;
        *sql += ";\n";
    }
}

fn cannot_write(cause: std::io::Error) -> Error {
    Error::failed(format!("cannot write the dump: {cause}")).caused_by(cause)
}

/// The state of the writer thread.
struct Output {
    out: Box<dyn Write + Send>,
    compressed: bool,
    /// The COPY whose rows are being written.
    open: Option<Arc<str>>,
    /// Return the buffers of chunks and of lines.
    chunks: Sender<Vec<u8>>,
    lines: Sender<Vec<u8>>,
    /// The count of rows and the changes of each table.
    counted: Counts,
}

impl Output {
    fn text(&mut self, text: &str) -> Result<()> {
        self.close_copy()?;
        self.put(text)
    }

    fn close_copy(&mut self) -> Result<()> {
        if self.open.take().is_some() {
            return self.put("\\.\n");
        }
        Ok(())
    }

    fn put(&mut self, text: &str) -> Result<()> {
        let bytes = packed(text.as_bytes(), self.compressed)?;
        self.out.write_all(&bytes).map_err(cannot_write)
    }

    fn not_null(&mut self, tables: &[Table]) -> Result<()> {
        let mut sql = String::new();
        for (number, table) in tables.iter().enumerate() {
            let tally = self
                .counted
                .get(number)
                .map(|(_, tally)| tally.clone())
                .unwrap_or_default();
            let (columns, _) = not_null_after_load(table, &tally);
            if !columns.is_empty() {
                statements(&mut sql, &[ddl::set_not_null(STYLE, &table.name, &columns)]);
            }
        }
        self.text(&sql)
    }

    /// Writes rows of a COPY. It stays open for the rows that follow.
    fn rows(
        &mut self,
        table: usize,
        copy: Arc<str>,
        done: &Receiver<Result<Transcoded>>,
    ) -> Result<()> {
        if self.open.as_ref() != Some(&copy) {
            self.close_copy()?;
            self.put(&format!(
                "\n{};\n",
                copy.replace("FROM STDIN", "FROM stdin")
            ))?;
            self.open = Some(copy);
        }
        let crashed = |_| Err(Error::failed("transcoding rows crashed"));
        let done = done.recv().unwrap_or_else(crashed)?;
        self.out.write_all(&done.lines).map_err(cannot_write)?;
        if self.counted.len() <= table {
            self.counted.resize_with(table + 1, Default::default);
        }
        self.counted[table].0 += done.rows;
        self.counted[table].1.merge(&done.tally);
        for (buffer, to) in [(done.lines, &self.lines), (done.chunk, &self.chunks)] {
            if buffer.capacity() <= MAX_SPARE_BYTES {
                let _ = to.send(buffer);
            }
        }
        Ok(())
    }
}

/// `bytes`, compressed if the dump is.
fn packed(bytes: &[u8], compressed: bool) -> Result<Cow<'_, [u8]>> {
    if !compressed {
        return Ok(bytes.into());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(3));
    encoder.write_all(bytes).map_err(cannot_write)?;
    Ok(encoder.finish().map_err(cannot_write)?.into())
}
