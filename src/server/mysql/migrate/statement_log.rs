//! The log of the statements of unfinished migrations. The table exists only while there are any.

use mysql::Conn;
use mysql::prelude::Queryable;
use twox_hash::XxHash3_128;

use super::segments::NumberedStatement;
use crate::error::{Error, Result};
use crate::migrate::Version;
use crate::migrate::{Direction, MigrationStep, UnfinishedMigration};
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::qualified;

/// The name of the table. No table of a dump may begin with it.
pub(super) const TABLE: &str = "ci_import_migration_steps";

const DOING: &str = "keep the record of a migration's statements";

/// The logged statements of one migration.
#[derive(Debug, Clone, Default)]
pub(super) struct RecordedStatements {
    /// The numbers and checksums of the statements that are done, in order.
    done: Vec<(usize, String)>,
    /// The statement whose outcome is unknown.
    begun: Option<Begun>,
}

/// A statement that was begun and whose outcome is unknown.
#[derive(Debug, Clone)]
struct Begun {
    number: usize,
    checksum: String,
    definitions: String,
}

/// What the log says about an earlier attempt at a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierAttempt {
    /// There was none.
    None,
    /// It was begun. Since then no definition has changed.
    DefinitionsUnchanged,
    /// It was begun. Since then a definition has changed.
    DefinitionsChanged,
    /// Another statement was begun under its number: the file has changed.
    OfAnotherStatement,
}

impl RecordedStatements {
    /// The number of the last statement that is done. All before it are done, too.
    pub(super) fn count(&self) -> usize {
        self.done.last().map_or(0, |(number, _)| *number)
    }

    /// Returns an error if the file has changed a statement that is done.
    pub(super) fn check(&self, step: &MigrationStep<'_>) -> Result<()> {
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

    /// The earlier attempt at `one`. `definitions` are the current checksums.
    pub(super) fn earlier_attempt(
        &self,
        one: &NumberedStatement<'_>,
        definitions: &str,
    ) -> EarlierAttempt {
        match self
            .begun
            .as_ref()
            .filter(|begun| begun.number == one.number)
        {
            None => EarlierAttempt::None,
            Some(begun) if begun.checksum != checksum_of(&one.statement.sql) => {
                EarlierAttempt::OfAnotherStatement
            }
            Some(begun) if begun.definitions == definitions => EarlierAttempt::DefinitionsUnchanged,
            Some(_) => EarlierAttempt::DefinitionsChanged,
        }
    }

    /// The number of the statement whose outcome is unknown.
    pub(super) fn begun(&self) -> Option<usize> {
        self.begun.as_ref().map(|begun| begun.number)
    }
}

fn checksum_of(sql: &str) -> String {
    format!("{:032x}", XxHash3_128::oneshot(sql.as_bytes()))
}

/// The direction in the log.
fn text(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

/// Whether the table exists.
pub(super) fn exists(conn: &mut Conn, database: &str) -> Result<bool> {
    let found: Option<u8> = conn
        .exec_first(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
            (database, TABLE),
        )
        .map_err(failure(DOING))?;
    Ok(found.is_some())
}

/// Creates the table if it is missing.
pub(super) fn create(conn: &mut Conn, database: &str) -> Result<()> {
    let table = qualified(database, TABLE);
    conn.query_drop(format!(
        "CREATE TABLE IF NOT EXISTS {table} (
           version VARCHAR(14) NOT NULL, way VARCHAR(4) NOT NULL, number INT UNSIGNED NOT NULL,
           checksum VARCHAR(32) NOT NULL, state VARCHAR(8) NOT NULL, definitions VARCHAR(255) NOT NULL,
           PRIMARY KEY (version, way, number)) ENGINE=InnoDB CHARACTER SET ascii"
    ))
    .map_err(failure(DOING))
}

/// Drops the table if it is empty.
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

/// The logged statements of `version`.
pub(super) fn read(
    conn: &mut Conn,
    database: &str,
    version: Version,
    direction: Direction,
) -> Result<RecordedStatements> {
    let mut recorded = RecordedStatements::default();
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
            (version.to_string(), text(direction)),
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

/// All unfinished migrations.
pub(super) fn unfinished(conn: &mut Conn, database: &str) -> Result<Vec<UnfinishedMigration>> {
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
            Some(UnfinishedMigration {
                version: Version::parse(&version)?,
                direction: if way == "up" {
                    Direction::Up
                } else {
                    Direction::Down
                },
                done: done.unwrap_or(0),
                doubtful,
            })
        });
    Ok(unfinished.collect())
}

/// Logs that `one` is begun. `definitions` are the current checksums.
pub(super) fn begin(
    conn: &mut Conn,
    database: &str,
    step: &MigrationStep<'_>,
    one: &NumberedStatement<'_>,
    definitions: &str,
) -> Result<()> {
    run(conn, &put(database, step, one, "begun", definitions))
}

/// Deletes the entry of `one`, which has failed.
pub(super) fn take_back(
    conn: &mut Conn,
    database: &str,
    step: &MigrationStep<'_>,
    one: &NumberedStatement<'_>,
) -> Result<()> {
    let which = which(step);
    let number = one.number;
    let table = qualified(database, TABLE);
    run(
        conn,
        &format!("DELETE FROM {table} WHERE {which} AND number = {number}"),
    )
}

/// Logs that `one` is done.
pub(super) fn end(
    conn: &mut Conn,
    database: &str,
    step: &MigrationStep<'_>,
    one: &NumberedStatement<'_>,
) -> Result<()> {
    run(conn, &done(database, step, one))
}

/// The statement that logs that `one` is done.
pub(super) fn done(
    database: &str,
    step: &MigrationStep<'_>,
    one: &NumberedStatement<'_>,
) -> String {
    put(database, step, one, "done", "")
}

/// The statement that deletes the log of a migration whose version is recorded.
pub(super) fn forget(database: &str, step: &MigrationStep<'_>) -> String {
    let table = qualified(database, TABLE);
    format!("DELETE FROM {table} WHERE version = '{}'", step.version)
}

fn put(
    database: &str,
    step: &MigrationStep<'_>,
    one: &NumberedStatement<'_>,
    state: &str,
    definitions: &str,
) -> String {
    let (table, number) = (qualified(database, TABLE), one.number);
    let (version, way) = (step.version, text(step.direction));
    let checksum = checksum_of(&one.statement.sql);
    format!(
        "REPLACE INTO {table} (version, way, number, checksum, state, definitions)
         VALUES ('{version}', '{way}', {number}, '{checksum}', '{state}', '{definitions}')"
    )
}

fn which(step: &MigrationStep<'_>) -> String {
    format!(
        "version = '{}' AND way = '{}'",
        step.version,
        text(step.direction)
    )
}

fn run(conn: &mut Conn, sql: &str) -> Result<()> {
    conn.query_drop(sql).map_err(failure(DOING))
}
