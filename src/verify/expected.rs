//! Computes what a target should have: the rows of a dump are transcoded as for a load, hashed, and
//! discarded.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::tables::ExpectedTable;
use crate::error::{Error, Result};
use crate::pipeline::planned_rows::{PlannedRows, TranscodedRows};
use crate::pipeline::sink::Sink;
use crate::resources::{MAX_SPARE_BYTES, Resources, clear};
use crate::rows::contents::Contents;
use crate::rows::{Format, PlannedColumn, Widening};
use crate::schema::Table;
use crate::ui::counts::Counts;

/// The number of rows and the checksum of each table, by number.
type Counted = Vec<(u64, Contents)>;

/// A sink that only hashes.
pub struct Expected {
    rows: Option<SyncSender<PlannedRows>>,
    workers: Vec<JoinHandle<Result<Counted>>>,
    spares: Receiver<Vec<u8>>,
    /// The names of the tables, and their numbered columns.
    tables: Vec<ExpectedTable>,
}

impl Expected {
    /// Starts the threads, which count the rows in `counts`.
    #[must_use]
    pub fn start(resources: &Resources, counts: &Counts) -> Expected {
        let (rows, taken) = sync_channel(resources.chunks);
        let (give_back, spares) = channel();
        let taken = Arc::new(Mutex::new(taken));
        let workers = (0..resources.jobs)
            .map(|_| {
                let (taken, give_back) = (Arc::clone(&taken), give_back.clone());
                let counts = counts.clone();
                std::thread::spawn(move || hash_all(&taken, &give_back, &counts))
            })
            .collect();
        Expected {
            rows: Some(rows),
            workers,
            spares,
            tables: Vec::new(),
        }
    }

    /// The tables, after all rows were hashed.
    pub fn finish(mut self) -> Result<Vec<ExpectedTable>> {
        let counted = self.join()?;
        let tables = std::mem::take(&mut self.tables);
        let expected = tables.into_iter().enumerate().map(|(number, table)| {
            let (rows, contents) = counted.get(number).cloned().unwrap_or_default();
            ExpectedTable {
                rows,
                contents,
                ..table
            }
        });
        // Those without a name were dropped.
        Ok(expected.filter(|table| !table.name.is_empty()).collect())
    }

    /// Adds a table with its numbered column, and with its schema, if the tables go to several.
    pub fn add(&mut self, schema: Option<&str>, name: &str, numbered: Option<&str>) {
        self.tables.push(ExpectedTable {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            numbered: numbered.map(str::to_owned),
            rows: 0,
            contents: Contents::None,
        });
    }

    /// Sets the numbered column of the table with this `number`.
    pub fn number(&mut self, number: usize, numbered: Option<&str>) {
        self.tables[number].numbered = numbered.map(str::to_owned);
    }

    /// Forgets the table with this number, and its rows.
    pub fn forget(&mut self, number: usize) {
        self.tables[number].name.clear();
    }

    /// Hashes rows of an added table, with their plan.
    pub fn hash(&mut self, rows: PlannedRows) -> Result<()> {
        let sent = self.rows.as_ref().is_some_and(|to| to.send(rows).is_ok());
        if sent {
            return Ok(());
        }
        // The failed thread reports the cause.
        self.join().and(Err(Error::failed("hashing has stopped")))
    }

    /// A buffer for reuse, if there is one.
    pub fn given_back(&mut self) -> Option<Vec<u8>> {
        self.spares.try_recv().ok()
    }

    fn join(&mut self) -> Result<Counted> {
        self.rows = None;
        let mut all = Counted::new();
        for worker in self.workers.drain(..) {
            let counted = worker
                .join()
                .unwrap_or_else(|_| Err(Error::failed("hashing rows crashed")))?;
            for (number, (rows, contents)) in counted.into_iter().enumerate() {
                let table = table_of(&mut all, number);
                table.0 += rows;
                table.1.merge(&contents);
            }
        }
        Ok(all)
    }
}

impl Sink for Expected {
    const FORMAT: Format = Format::Binary;

    fn table(&mut self, table: &Table) -> Result<()> {
        self.add(table.schema.as_deref(), &table.name, table.numbered());
        Ok(())
    }

    fn complete(&mut self, number: usize, table: &Table) -> Result<()> {
        self.number(number, table.numbered());
        Ok(())
    }

    fn alter(&mut self, number: usize, _: &Table, table: &Table) -> Result<()> {
        self.number(number, table.numbered());
        Ok(())
    }

    fn drop_table(&mut self, number: usize) -> Result<()> {
        self.forget(number);
        Ok(())
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        self.hash(rows)
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.given_back()
    }

    fn statement(&self, _: &Table, _: &[PlannedColumn], _: Format) -> String {
        String::new()
    }
}

/// The entry of `all` for the table with this number.
fn table_of<T: Default>(all: &mut Vec<T>, number: usize) -> &mut T {
    if all.len() <= number {
        all.resize_with(number + 1, Default::default);
    }
    &mut all[number]
}

fn hash_all(
    rows: &Mutex<Receiver<PlannedRows>>,
    give_back: &Sender<Vec<u8>>,
    counts: &Counts,
) -> Result<Counted> {
    let next = || {
        let rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.recv().ok()
    };
    let mut counted = Counted::new();
    let mut widened: Vec<Vec<Widening>> = Vec::new();
    let mut out = Vec::new();
    while let Some(rows) = next() {
        let mut done = TranscodedRows::default();
        let of_table = table_of(&mut widened, rows.table);
        while let Some(widening) = rows.transcode(of_table, &mut out, &mut done)? {
            of_table.push(widening);
        }
        let PlannedRows { table, chunk, .. } = rows;
        let of_table = table_of(&mut counted, table);
        of_table.0 += done.rows;
        counts.add(done.rows);
        of_table.1.merge(&done.contents);
        if chunk.bytes.capacity() <= MAX_SPARE_BYTES {
            let _ = give_back.send(chunk.bytes);
        }
        clear(&mut out);
    }
    Ok(counted)
}
