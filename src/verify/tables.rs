//! Compares tables with what is expected of them.

use std::collections::VecDeque;
use std::sync::Mutex;

use postgres::Client;
use postgres::error::SqlState;

use crate::contents::Contents;
use crate::error::{Error, Result};
use crate::halt::Halt;
use crate::load::{Target, failure, read_back};
use crate::schema::Table;
use crate::schema::ddl::{identifier, qualified};

/// A table as it should be.
#[derive(Debug, Clone)]
pub struct ExpectedTable {
    /// The table.
    pub table: Table,
    /// How many rows it has.
    pub rows: u64,
    /// Their checksum, if the rows are to be read and not only counted.
    pub contents: Contents,
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
    /// The value that its sequence gives next, if it has one.
    pub next_value: Option<i64>,
    /// What is wrong.
    pub problems: Vec<String>,
}

/// Compares the tables in `schema` of the target with what is expected, over `jobs` connections.
pub fn verify_tables(
    target: &Target,
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
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            let mut client = target.connect_to_read()?;
            while let Some(number) = next() {
                halt.check()?;
                let finding = verify_table(&mut client, schema, &expected[number])?;
                if let Ok(mut found) = found.lock() {
                    found.push((number, finding));
                }
            }
            Ok(())
        };
        let threads: Vec<_> = (0..jobs.min(expected.len()))
            .map(|_| scope.spawn(move || halt.guard(work)))
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

fn verify_table(
    client: &mut Client,
    schema: &str,
    expected: &ExpectedTable,
) -> Result<TableFinding> {
    let name = &expected.table.name;
    let mut finding = TableFinding {
        name: name.clone(),
        expected: expected.rows,
        found: None,
        compared: false,
        next_value: None,
        problems: Vec::new(),
    };
    if !exists(client, schema, name)? {
        finding.problems.push("is not there".to_owned());
        return Ok(finding);
    }
    let rows = if let Contents::Hashed(layout, digest) = &expected.contents {
        match read_back(client, schema, name, layout) {
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
                count(client, schema, name)?
            }
        }
    } else {
        count(client, schema, name)?
    };
    finding.found = Some(rows);
    if rows != expected.rows {
        let (rows, expected) = (rows, expected.rows);
        finding
            .problems
            .push(format!("{rows} rows instead of {expected}"));
    }
    verify_sequence(client, schema, &expected.table, &mut finding)?;
    Ok(finding)
}

fn exists(client: &mut Client, schema: &str, table: &str) -> Result<bool> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                              WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r')";
    let row = client
        .query_one(sql, &[&schema, &table])
        .map_err(failure(format!("look for {table}")))?;
    Ok(row.get(0))
}

fn count(client: &mut Client, schema: &str, table: &str) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM {}", qualified(schema, table));
    let row = client
        .query_one(&sql, &[])
        .map_err(failure(format!("count the rows of {table}")))?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}

/// A sequence must be owned by its column, and give values that are not taken.
fn verify_sequence(
    client: &mut Client,
    schema: &str,
    table: &Table,
    finding: &mut TableFinding,
) -> Result<()> {
    let Some(sequence) = &table.sequence else {
        return Ok(());
    };
    let doing = || failure(format!("look at the sequence of {}", table.name));
    let column = &sequence.column;
    let owned = client.query_one(
        "SELECT pg_get_serial_sequence($1, $2)",
        &[&qualified(schema, &table.name), column],
    );
    let owned: Option<String> = match owned {
        Ok(row) => row.get(0),
        Err(cause) if cause.code() == Some(&SqlState::UNDEFINED_COLUMN) => {
            finding.problems.push(format!("has no column {column}"));
            return Ok(());
        }
        Err(cause) => return Err(doing()(cause)),
    };
    let Some(owned) = owned else {
        finding
            .problems
            .push(format!("no sequence is owned by its column {column}"));
        return Ok(());
    };
    // It comes quoted where that is needed.
    let sql = format!(
        "SELECT (last_value + is_called::int)::bigint,
                (SELECT COALESCE(max({}), 0)::bigint FROM {}) FROM {owned}",
        identifier(column),
        qualified(schema, &table.name)
    );
    let row = client.query_one(&sql, &[]).map_err(doing())?;
    let (next, largest): (i64, i64) = (row.get(0), row.get(1));
    finding.next_value = Some(next);
    if next <= largest {
        finding.problems.push(format!(
            "its sequence gives {next} next, but the largest {column} is {largest}"
        ));
    }
    Ok(())
}
