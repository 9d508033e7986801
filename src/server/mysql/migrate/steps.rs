//! The record of the statements that are done of a migration which is under way. The table is there only
//! while there are any.

use mysql::Conn;
use mysql::prelude::Queryable;
use twox_hash::XxHash3_128;

use super::segments::Numbered;
use crate::error::{Error, Result};
use crate::migrate::Version;
use crate::migrate::{Step, Unfinished, Way};
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::qualified;

/// Its name; no dump's table may begin so.
pub(super) const TABLE: &str = "ci_import_migration_steps";

const DOING: &str = "keep the record of a migration's statements";

/// What is on record of one migration.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorded {
    /// Number and checksum of the statements that are done, in order.
    done: Vec<(usize, String)>,
    /// The statement that was begun.
    begun: Option<Begun>,
}

/// A statement whose end is not known.
#[derive(Debug, Clone)]
struct Begun {
    number: usize,
    checksum: String,
    definitions: String,
}

/// What is known of a statement that is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It has not been begun.
    None,
    /// It was begun; since then no definition has changed.
    Begun,
    /// It was begun, and since then a definition has changed.
    Changed,
    /// What was begun was another one: the file has changed since.
    Another,
}

impl Recorded {
    /// The number of the last statement that is done; all before it are.
    pub(super) fn count(&self) -> usize {
        self.done.last().map_or(0, |(number, _)| *number)
    }

    /// An error if a statement that is done was another one in the file.
    pub(super) fn check(&self, step: &Step<'_>) -> Result<()> {
        for (number, checksum) in &self.done {
            let now = step.part.statements.get(number - 1);
            if now.is_some_and(|now| checksum_of(&now.sql) == *checksum) {
                continue;
            }
            let place = now.map_or_else(
                || step.path.display().to_string(),
                |now| now.place(step.path, 0),
            );
            return Err(Error::failed(format!(
                "{place}: statement {number} of {} was done as another one, and the file has changed since",
                step.name
            ))
            .hint(format!(
                "put it back as it was; or undo by hand what is done of it, DELETE FROM {TABLE} WHERE \
                 version = '{}', and run it again",
                step.version
            )));
        }
        Ok(())
    }

    /// What is known of `one`, where the definitions are `definitions` now.
    pub(super) fn doubt(&self, one: &Numbered<'_>, definitions: &str) -> Doubt {
        match self
            .begun
            .as_ref()
            .filter(|begun| begun.number == one.number)
        {
            None => Doubt::None,
            Some(begun) if begun.checksum != checksum_of(&one.statement.sql) => Doubt::Another,
            Some(begun) if begun.definitions == definitions => Doubt::Begun,
            Some(_) => Doubt::Changed,
        }
    }

    /// The number of the statement that was begun, and whose end is not known.
    pub(super) fn begun(&self) -> Option<usize> {
        self.begun.as_ref().map(|begun| begun.number)
    }
}

fn checksum_of(sql: &str) -> String {
    format!("{:032x}", XxHash3_128::oneshot(sql.as_bytes()))
}

fn text(way: Way) -> &'static str {
    match way {
        Way::Up => "up",
        Way::Down => "down",
    }
}

pub(super) fn exists(conn: &mut Conn, database: &str) -> Result<bool> {
    let found: Option<u8> = conn
        .exec_first(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
            (database, TABLE),
        )
        .map_err(failure(DOING))?;
    Ok(found.is_some())
}

/// Makes the table, if it is not there.
pub(super) fn make(conn: &mut Conn, database: &str) -> Result<()> {
    let table = qualified(database, TABLE);
    conn.query_drop(format!(
        "CREATE TABLE IF NOT EXISTS {table} (
           version VARCHAR(14) NOT NULL, way VARCHAR(4) NOT NULL, number INT UNSIGNED NOT NULL,
           checksum VARCHAR(32) NOT NULL, state VARCHAR(8) NOT NULL, definitions VARCHAR(255) NOT NULL,
           PRIMARY KEY (version, way, number)) ENGINE=InnoDB CHARACTER SET ascii"
    ))
    .map_err(failure(DOING))
}

/// Drops the table, unless a migration is under way.
pub(super) fn drop_if_empty(conn: &mut Conn, database: &str) -> Result<()> {
    if !exists(conn, database)? {
        return Ok(());
    }
    let table = qualified(database, TABLE);
    let any: Option<u8> = conn
        .query_first(format!("SELECT 1 FROM {table} LIMIT 1"))
        .map_err(failure(DOING))?;
    if any.is_some() {
        return Ok(());
    }
    conn.query_drop(format!("DROP TABLE {table}"))
        .map_err(failure(DOING))
}

/// What is on record of `version`.
pub(super) fn read(
    conn: &mut Conn,
    database: &str,
    version: Version,
    way: Way,
) -> Result<Recorded> {
    let mut recorded = Recorded::default();
    if !exists(conn, database)? {
        return Ok(recorded);
    }
    let table = qualified(database, TABLE);
    let rows: Vec<(usize, String, String, String)> = conn
        .exec(
            format!(
                "SELECT number, checksum, state, definitions FROM {table}
                 WHERE version = ? AND way = ? ORDER BY number"
            ),
            (version.to_string(), text(way)),
        )
        .map_err(failure(DOING))?;
    for (number, checksum, state, definitions) in rows {
        if state == "done" {
            recorded.done.push((number, checksum));
        } else {
            recorded.begun = Some(Begun {
                number,
                checksum,
                definitions,
            });
        }
    }
    Ok(recorded)
}

/// All migrations that are under way.
pub(super) fn unfinished(conn: &mut Conn, database: &str) -> Result<Vec<Unfinished>> {
    if !exists(conn, database)? {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, String, Option<usize>, Option<usize>)> = conn
        .query(format!(
            "SELECT version, way, CAST(MAX(CASE WHEN state = 'done' THEN number END) AS UNSIGNED),
                    CAST(MAX(CASE WHEN state <> 'done' THEN number END) AS UNSIGNED)
             FROM {} GROUP BY version, way ORDER BY version, way",
            qualified(database, TABLE)
        ))
        .map_err(failure(DOING))?;
    let unfinished = rows
        .into_iter()
        .filter_map(|(version, way, done, doubtful)| {
            Some(Unfinished {
                version: Version::parse(&version)?,
                way: if way == "up" { Way::Up } else { Way::Down },
                done: done.unwrap_or(0),
                doubtful,
            })
        });
    Ok(unfinished.collect())
}

/// Writes that `one` is begun, while the definitions are `definitions`.
pub(super) fn begin(
    conn: &mut Conn,
    database: &str,
    step: &Step<'_>,
    one: &Numbered<'_>,
    definitions: &str,
) -> Result<()> {
    run(conn, &put(database, step, one, "begun", definitions))
}

/// Takes that back: it has failed.
pub(super) fn take_back(
    conn: &mut Conn,
    database: &str,
    step: &Step<'_>,
    one: &Numbered<'_>,
) -> Result<()> {
    let which = which(step);
    let number = one.number;
    let table = qualified(database, TABLE);
    run(
        conn,
        &format!("DELETE FROM {table} WHERE {which} AND number = {number}"),
    )
}

/// Writes that `one` is done.
pub(super) fn end(
    conn: &mut Conn,
    database: &str,
    step: &Step<'_>,
    one: &Numbered<'_>,
) -> Result<()> {
    run(conn, &done(database, step, one))
}

/// The statement that records that `one` is done.
pub(super) fn done(database: &str, step: &Step<'_>, one: &Numbered<'_>) -> String {
    put(database, step, one, "done", "")
}

/// The statement that forgets a migration whose end is recorded.
pub(super) fn forget(database: &str, step: &Step<'_>) -> String {
    let table = qualified(database, TABLE);
    format!("DELETE FROM {table} WHERE version = '{}'", step.version)
}

fn put(
    database: &str,
    step: &Step<'_>,
    one: &Numbered<'_>,
    state: &str,
    definitions: &str,
) -> String {
    let (table, number) = (qualified(database, TABLE), one.number);
    let (version, way) = (step.version, text(step.way));
    let checksum = checksum_of(&one.statement.sql);
    format!(
        "REPLACE INTO {table} (version, way, number, checksum, state, definitions)
         VALUES ('{version}', '{way}', {number}, '{checksum}', '{state}', '{definitions}')"
    )
}

fn which(step: &Step<'_>) -> String {
    format!(
        "version = '{}' AND way = '{}'",
        step.version,
        text(step.way)
    )
}

fn run(conn: &mut Conn, sql: &str) -> Result<()> {
    conn.query_drop(sql).map_err(failure(DOING))
}
