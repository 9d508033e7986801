//! Compares tables of any server with the expected ones.

use std::collections::VecDeque;
use std::sync::Mutex;

use tracing::debug;

use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::pipeline::loaded::LoadedTable;
use crate::rows::contents::Contents;
use crate::rows::{Digest, Layout};
use crate::schema::shown;
use crate::ui::counts::Counts;

/// How tables are compared.
#[derive(Debug, Clone, Copy)]
pub struct Verifying<'a> {
    /// The number of sessions.
    pub jobs: usize,
    /// Where the tables are counted, for the progress.
    pub counts: &'a Counts,
    /// Stops the comparison on a signal.
    pub cancellation: &'a Cancellation,
}

/// An expected table.
#[derive(Debug, Clone)]
pub struct ExpectedTable {
    /// Its schema, if the tables are in several.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// The column that gets its values from a sequence, or by AUTO_INCREMENT.
    pub numbered: Option<String>,
    /// The number of rows.
    pub rows: u64,
    /// The checksum of the rows, if they are to be read, not only counted.
    pub contents: Contents,
}

impl ExpectedTable {
    /// The expectation for a loaded table.
    #[must_use]
    pub fn of(loaded: &LoadedTable) -> ExpectedTable {
        ExpectedTable {
            schema: loaded.schema.clone(),
            name: loaded.name.clone(),
            numbered: loaded.numbered.clone(),
            rows: loaded.rows,
            contents: loaded.contents.clone(),
        }
    }

    /// How it is called in messages.
    #[must_use]
    pub fn shown(&self) -> String {
        shown(self.schema.as_deref(), &self.name)
    }
}

/// The result for a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFinding {
    /// The table.
    pub name: String,
    /// The expected number of rows.
    pub expected: u64,
    /// The number of rows, if the table exists.
    pub found: Option<u64>,
    /// Whether the rows were compared by checksum.
    pub compared: bool,
    /// The next value of the numbered column, if there is one.
    pub next_value: Option<i64>,
    /// Whether the rows are from the session's snapshot. If the engine has no transactions, they are as they
    /// were when they were read.
    pub in_snapshot: bool,
    /// The differences.
    pub problems: Vec<String>,
}

/// A session that reads tables.
pub trait ReadTables {
    /// Whether `table` exists in `schema`.
    fn exists(&mut self, schema: &str, table: &str) -> Result<bool>;
    /// The number of rows.
    fn count(&mut self, schema: &str, table: &str) -> Result<u64>;
    /// The checksum of the rows, over the columns of `layout`.
    fn read_back(&mut self, schema: &str, table: &str, layout: &Layout) -> Result<Digest>;
    /// The numbering of `column`.
    fn numbering(&mut self, schema: &str, table: &str, column: &str) -> Result<Numbering>;
    /// Whether the rows are read from the session's snapshot, if it has one, even if others write meanwhile.
    fn is_in_snapshot(&mut self, schema: &str, table: &str) -> Result<bool>;
}

/// How a numbered column goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbering {
    /// With a next value.
    From {
        /// The value for a new row.
        next: i64,
        /// The largest value in the table.
        largest: i64,
        /// The source of the numbers.
        by: &'static str,
    },
    /// Not at all: the last possible value is used.
    UsedUp,
    /// Wrongly, and why.
    Broken(String),
}

/// Compares the tables in `schema` of a target with the expected ones, in sessions of `connect`.
pub fn verify_tables<S: ReadTables>(
    connect: impl Fn() -> Result<S> + Sync,
    schema: &str,
    expected: &[ExpectedTable],
    verifying: &Verifying<'_>,
) -> Result<Vec<TableFinding>> {
    verifying.counts.expect_steps(expected.len());
    let mut queue: Vec<usize> = (0..expected.len()).collect();
    // The longest table first, so that no worker is left alone with it at the end.
    queue.sort_by_key(|number| std::cmp::Reverse(expected[*number].rows));
    let queue = Mutex::new(VecDeque::from(queue));
    let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
    let found = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        let mut session = connect()?;
        while let Some(number) = next() {
            let finding = verifying.table(&mut session, schema, &expected[number])?;
            if let Ok(mut found) = found.lock() {
                found.push((number, finding));
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..verifying.jobs.min(expected.len()))
            .map(|_| scope.spawn(|| verifying.cancellation.guard(work)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(Error::failed("comparing a table crashed")))
        })
    })?;
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(number, _)| *number);
    Ok(found.into_iter().map(|(_, finding)| finding).collect())
}

/// Compares the tables in a single `session`.
pub fn verify_tables_in(
    session: &mut impl ReadTables,
    schema: &str,
    expected: &[ExpectedTable],
    verifying: &Verifying<'_>,
) -> Result<Vec<TableFinding>> {
    verifying.counts.expect_steps(expected.len());
    let finding = |table| verifying.table(session, schema, table);
    expected.iter().map(finding).collect()
}

impl Verifying<'_> {
    fn table(
        &self,
        session: &mut impl ReadTables,
        schema: &str,
        expected: &ExpectedTable,
    ) -> Result<TableFinding> {
        self.cancellation.check()?;
        let name = expected.shown();
        self.counts.begin_step(&name);
        let finding = verify_table(session, schema, expected)?;
        self.counts.end_step();
        let problems = finding.problems.len();
        debug!(table = %name, rows = finding.found, checksum = finding.compared, problems, "compared");
        Ok(finding)
    }
}

fn verify_table(
    session: &mut impl ReadTables,
    schema: &str,
    expected: &ExpectedTable,
) -> Result<TableFinding> {
    let name = &expected.name;
    let schema = expected.schema.as_deref().unwrap_or(schema);
    let mut finding = TableFinding {
        name: expected.shown(),
        expected: expected.rows,
        found: None,
        compared: false,
        next_value: None,
        in_snapshot: true,
        problems: Vec::new(),
    };
    if !session.exists(schema, name)? {
        finding.problems.push("does not exist".to_owned());
        return Ok(finding);
    }
    finding.in_snapshot = session.is_in_snapshot(schema, name)?;
    let rows = if let Contents::Hashed(layout, digest) = &expected.contents {
        match session.read_back(schema, name, layout) {
            Ok(found) => {
                finding.compared = true;
                if found.rows == digest.rows && found != *digest {
                    let what = "rows differ from those of the archive";
                    finding.problems.push(what.to_owned());
                }
                found.rows
            }
            Err(error) => {
                finding.problems.push(error.to_string());
                session.count(schema, name)?
            }
        }
    } else {
        session.count(schema, name)?
    };
    finding.found = Some(rows);
    if rows != expected.rows {
        let (rows, expected) = (rows, expected.rows);
        finding
            .problems
            .push(format!("{rows} rows instead of {expected}"));
    }
    if let Some(column) = &expected.numbered {
        let numbering = session.numbering(schema, name, column)?;
        look_at_numbering(numbering, column, &mut finding);
    }
    failpoint::reached("table compared");
    Ok(finding)
}

/// The next value must not be in use.
fn look_at_numbering(numbering: Numbering, column: &str, finding: &mut TableFinding) {
    match numbering {
        Numbering::UsedUp => {}
        Numbering::Broken(why) => finding.problems.push(why),
        Numbering::From { next, largest, by } => {
            finding.next_value = Some(next);
            if next <= largest {
                finding.problems.push(format!(
                    "its {by} gives {next} next, which is not above the largest {column}"
                ));
            }
        }
    }
}
