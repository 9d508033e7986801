//! Writes a dump for PostgreSQL: definitions, COPY blocks, then indexes, sequences, constraints.
//!
//! A thread pool transcodes and compresses the chunks; they are written in order. A compressed dump is a sequence of
//! gzip streams, which every reader reads as one (RFC 1952, 2.2).

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::dump_text::{DumpText, Written, style};
use super::transcoded::{Widened, transcoded};
use crate::dump::postgresql::GIVEN_UP;
use crate::error::{Error, Result};
use crate::pipeline::planned_rows::PlannedRows;
use crate::pipeline::sink::Sink;
use crate::resources::Resources;
use crate::rows::{Format, PlannedColumn, Widening, loaded_names};
use crate::schema::Table;
use crate::schema::ddl;

pub use super::dump_text::WrittenTable;

/// Work for the writer thread.
enum Piece {
    Table(Box<Table>),
    /// The table with this number, with the keys and indexes that came after its rows.
    Complete(usize, Box<Table>),
    /// The table with this number, before and after a change of its definition.
    Alter(usize, Box<[Table; 2]>),
    /// A column of the table with this number gets a wider type.
    Widen(usize, Widening),
    /// Rows for this COPY of a table; `done` gives them when they are transcoded.
    Rows {
        copy: Arc<str>,
        done: Receiver<Result<super::transcoded::Transcoded>>,
    },
    /// The table with this number is dropped again.
    Drop(usize),
    GivenUp,
    End,
}

/// Buffers for reuse: of chunks, and of lines.
struct Spares {
    chunks: Receiver<Vec<u8>>,
    lines: Receiver<Vec<u8>>,
}

/// A sink that writes a dump.
pub struct DumpWriter {
    pieces: Option<SyncSender<Piece>>,
    writer: Option<JoinHandle<Result<Written>>>,
    pool: ThreadPool,
    spares: Spares,
    widened: Arc<Mutex<Widened>>,
    compressed: bool,
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
        let widened = Arc::new(Mutex::new(Widened::default()));
        let mut text = DumpText::new(out, compressed, chunks, lines, Arc::clone(&widened));
        let writer = std::thread::spawn(move || {
            text.begin()?;
            write_all(text, received)
        });
        Ok(DumpWriter {
            pieces: Some(pieces),
            writer: Some(writer),
            pool,
            spares: Spares {
                chunks: spare_chunks,
                lines: spare_lines,
            },
            widened,
            compressed,
        })
    }

    /// Completes the dump. Returns the tables, and notes of what came out differently.
    pub fn finish(mut self) -> Result<Written> {
        self.send(Piece::End)?;
        self.join()
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

    fn join(&mut self) -> Result<Written> {
        self.pieces = None;
        let Some(writer) = self.writer.take() else {
            return Ok(Written::default());
        };
        writer
            .join()
            .unwrap_or_else(|_| Err(Error::failed("the writer of the dump crashed")))
    }
}

/// Writes the pieces in their order.
fn write_all(mut text: DumpText, pieces: Receiver<Piece>) -> Result<Written> {
    for piece in pieces {
        match piece {
            Piece::Table(table) => text.table(*table)?,
            Piece::Complete(number, table) => text.complete(number, *table),
            Piece::Alter(number, tables) => text.alter(number, &tables[0], &tables[1])?,
            Piece::Rows { copy, done } => {
                if let Err(error) = text.rows(copy, &done) {
                    let _ = text.text(&format!("{GIVEN_UP};\n"));
                    return Err(error);
                }
            }
            Piece::Widen(number, widening) => text.widen(number, widening)?,
            Piece::Drop(number) => text.drop_table(number)?,
            Piece::GivenUp => text.text(&format!("{GIVEN_UP};\n"))?,
            Piece::End => return text.end(),
        }
    }
    Ok(Written::default())
}

impl Drop for DumpWriter {
    fn drop(&mut self) {
        if self.writer.is_some() {
            let _ = self.send(Piece::GivenUp);
            let _ = self.join();
        }
    }
}

impl Sink for DumpWriter {
    fn table(&mut self, table: &Table) -> Result<()> {
        self.send(Piece::Table(Box::new(table.clone())))
    }

    fn complete(&mut self, number: usize, table: &Table) -> Result<()> {
        self.send(Piece::Complete(number, Box::new(table.clone())))
    }

    fn alter(&mut self, number: usize, before: &Table, after: &Table) -> Result<()> {
        self.send(Piece::Alter(
            number,
            Box::new([before.clone(), after.clone()]),
        ))
    }

    fn widen(&mut self, number: usize, widening: &Widening) -> Result<()> {
        self.send(Piece::Widen(number, widening.clone()))
    }

    fn drop_table(&mut self, number: usize) -> Result<()> {
        self.send(Piece::Drop(number))
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        let (send, done) = sync_channel(1);
        let (copy, compressed) = (Arc::clone(&rows.statement), self.compressed);
        let lines = self.spares.lines.try_recv().unwrap_or_default();
        let widened = Arc::clone(&self.widened);
        self.pool
            .spawn(move || _ = send.send(transcoded(rows, lines, compressed, &widened)));
        self.send(Piece::Rows { copy, done })
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.spares.chunks.try_recv().ok()
    }

    const FORMAT: Format = Format::Text;

    fn statement(&self, table: &Table, columns: &[PlannedColumn], format: Format) -> String {
        ddl::copy_from_stdin(style(table), &table.name, loaded_names(columns), format)
    }
}
