//! Compares tables with what is expected of them, whatever server they are on.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::cancellation::Halt;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::pipeline::loaded::LoadedTable;
use crate::rows::contents::Contents;
use crate::rows::{Digest, Layout};

/// A table as it should be.
#[derive(Debug, Clone)]
pub struct ExpectedTable {
    /// Its name.
    pub name: String,
    /// The column that gets its values from a sequence, or by AUTO_INCREMENT.
    pub numbered: Option<String>,
    /// How many rows it has.
    pub rows: u64,
    /// Their checksum, if the rows are to be read and not only counted.
    pub contents: Contents,
}

impl ExpectedTable {
    /// What a table should be that was loaded.
    #[must_use]
    pub fn of(loaded: &LoadedTable) -> ExpectedTable {
        ExpectedTable {
            name: loaded.name.clone(),
            numbered: loaded.numbered.clone(),
            rows: loaded.rows,
            contents: loaded.contents.clone(),
        }
    }
}

/// What was found of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFinding {
    /// The table.
    pub name: String,
    /// How many rows it should have.
    pub expected: u64,
    /// How many it has, if it is there.
    pub found: Option<u64>,
    /// Whether its rows were compared by checksum.
    pub compared: bool,
    /// The value that its numbered column gets next, if it has one.
    pub next_value: Option<i64>,
    /// Whether its rows are those of the moment that the session was opened for. Those of a table whose
    /// engine has no transactions are as they are when they are read.
    pub in_snapshot: bool,
    /// What is wrong.
    pub problems: Vec<String>,
}

/// A session in which tables can be looked at.
pub trait ReadTables {
    /// Whether there is such a table in `schema`.
    fn exists(&mut self, schema: &str, table: &str) -> Result<bool>;
    /// How many rows it has.
    fn count(&mut self, schema: &str, table: &str) -> Result<u64>;
    /// The checksum of its rows, over the columns of `layout`.
    fn read_back(&mut self, schema: &str, table: &str, layout: &Layout) -> Result<Digest>;
    /// How the values of its `column` go on.
    fn numbering(&mut self, schema: &str, table: &str, column: &str) -> Result<Numbering>;
    /// Whether its rows are those of the session's moment, if it has one, whatever is written meanwhile.
    fn is_in_snapshot(&mut self, schema: &str, table: &str) -> Result<bool>;
}

/// How the values of a numbered column go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbering {
    /// With a value.
    From {
        /// The value that a new row gets.
        next: i64,
        /// The largest there is.
        largest: i64,
        /// What gives it.
        by: &'static str,
    },
    /// Not at all: the last value there is was given.
    UsedUp,
    /// Not as they should, and why.
    Broken(String),
}

/// Compares the tables in `schema` of a target with what is expected, in `jobs` sessions that
/// `connect` makes.
pub fn verify_tables<S: ReadTables>(
    connect: impl Fn() -> Result<S> + Sync,
    jobs: usize,
    schema: &str,
    expected: &[ExpectedTable],
    halt: &Halt,
) -> Result<Vec<TableFinding>> {
    let mut queue: Vec<usize> = (0..expected.len()).collect();
    // The longest first, so that nobody waits for it alone.
    queue.sort_by_key(|number| std::cmp::Reverse(expected[*number].rows));
    let queue = Mutex::new(VecDeque::from(queue));
    let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
    let found = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        let mut session = connect()?;
        while let Some(number) = next() {
            halt.check()?;
            let finding = verify_table(&mut session, schema, &expected[number])?;
            if let Ok(mut found) = found.lock() {
                found.push((number, finding));
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.min(expected.len()))
            .map(|_| scope.spawn(|| halt.guard(work)))
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

/// Compares them in the one `session` that there is.
pub fn verify_tables_in(
    session: &mut impl ReadTables,
    schema: &str,
    expected: &[ExpectedTable],
    halt: &Halt,
) -> Result<Vec<TableFinding>> {
    let finding = |table| {
        halt.check()?;
        verify_table(session, schema, table)
    };
    expected.iter().map(finding).collect()
}

fn verify_table(
    session: &mut impl ReadTables,
    schema: &str,
    expected: &ExpectedTable,
) -> Result<TableFinding> {
    let name = &expected.name;
    let mut finding = TableFinding {
        name: name.clone(),
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

/// It must give values that are not taken.
fn look_at_numbering(numbering: Numbering, column: &str, finding: &mut TableFinding) {
    match numbering {
        Numbering::UsedUp => {}
        Numbering::Broken(why) => finding.problems.push(why),
        Numbering::From { next, largest, by } => {
            finding.next_value = Some(next);
            if next <= largest {
                finding.problems.push(format!(
                    "its {by} gives {next} next, but the largest {column} is {largest}"
                ));
            }
        }
    }
}
