//! Runs one statement of a migration, and explains its failure: file, line, statement.

use std::path::Path;

use postgres::GenericClient;
use postgres::error::{DbError, ErrorPosition, SqlState};

use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::migrate::Statement;
use crate::migrate::patience::Failed;
use crate::server::postgresql::error::failure;

/// Runs one statement, and no more: the extended protocol refuses a text that holds several
/// (PostgreSQL manual, 55.2.3), so what was split wrongly does no harm.
pub(super) fn run_statement(
    client: &mut impl GenericClient,
    statement: &Statement,
    path: &Path,
) -> std::result::Result<(), Failed> {
    let done = client.execute(statement.sql.as_str(), &[]);
    done.map_err(|cause| Failed {
        again: is_in_the_way(&cause),
        error: explained(cause, statement, path),
    })?;
    failpoint::reached("statement run");
    Ok(())
}

/// Records a version. A user or role that the migration took may not do so; ours may.
pub(super) fn record(client: &mut impl GenericClient, sql: &str) -> Result<()> {
    client
        .batch_execute("RESET SESSION AUTHORIZATION; RESET ROLE")
        .and_then(|()| client.execute(sql, &[]))
        .map(drop)
        .map_err(failure("record the version"))
}

pub(super) fn is_in_the_way(cause: &postgres::Error) -> bool {
    let codes = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    cause.code().is_some_and(|code| codes.contains(code))
}

/// The server's error with file, line and statement.
fn explained(cause: postgres::Error, statement: &Statement, path: &Path) -> Error {
    let error = cause.as_db_error();
    let place = statement.place(path, lines_before(error, &statement.sql));
    let code = error.map(|error| error.code().clone());
    let own_hint = error.and_then(|error| error.hint().map(str::to_owned));
    let doing = format!("run {}", statement.shortened());
    let told = failure(doing)(cause).at(place);
    let Some(code) = code else {
        return told.hint("it stays pending; look at the target server's log, then run it again");
    };
    // A server that is going down is another matter than a statement that is wrong.
    let is_end = code.code().starts_with("57P");
    let kind = if is_end { Kind::Target } else { Kind::Failed };
    let error = Error::new(kind, told.to_string());
    match code {
        SqlState::LOCK_NOT_AVAILABLE => error.hint(
            "it stays pending; pg_locks tells who holds the lock; wait longer with --lock-timeout, \
             or oftener with --lock-retries",
        ),
        SqlState::ACTIVE_SQL_TRANSACTION => {
            error.hint("-- migrate:no-transaction has it run outside of a transaction")
        }
        _ => own_hint.map_or(error.clone(), |hint| error.hint(hint)),
    }
}

/// How many lines of the statement stand before the place the server means.
fn lines_before(error: Option<&DbError>, sql: &str) -> usize {
    let position = error.and_then(DbError::position);
    let Some(ErrorPosition::Original(position)) = position else {
        return 0;
    };
    let before = sql.chars().take((*position as usize).saturating_sub(1));
    before.filter(|c| *c == '\n').count()
}
