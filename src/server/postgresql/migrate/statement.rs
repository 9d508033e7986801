//! Runs a statement of a migration, and explains its failure with file, line and statement.

use std::path::Path;

use postgres::GenericClient;
use postgres::error::{DbError, ErrorPosition, SqlState};

use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::migrate::MigrationStatement;
use crate::migrate::retry::{AttemptError, lock_timeout_hint};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::message::message_about;

/// Runs one statement. The extended protocol refuses a text with several statements (PostgreSQL manual,
/// 55.2.3), so a wrong split does no harm.
pub(super) fn run_statement(
    client: &mut impl GenericClient,
    statement: &MigrationStatement,
    path: &Path,
) -> std::result::Result<(), AttemptError> {
    let done = client.execute(statement.sql.as_str(), &[]);
    done.map_err(|cause| AttemptError {
        is_retryable: is_retryable(&cause),
        error: explained(cause, statement, path),
    })?;
    failpoint::reached("statement run");
    Ok(())
}

/// Records a version. The role that a migration may have set must have ended: it may lack the right.
pub(super) fn record(client: &mut impl GenericClient, sql: &str) -> Result<()> {
    client
        .execute(sql, &[])
        .map(drop)
        .map_err(failure("record the version"))
}

/// Ends the role that a migration may have set.
pub(super) fn as_oneself(client: &mut impl GenericClient) -> Result<()> {
    client
        .batch_execute("RESET SESSION AUTHORIZATION; RESET ROLE")
        .map_err(failure("end the role of the migration"))
}

/// Whether a lock timeout or a deadlock is the cause.
pub(super) fn is_retryable(cause: &postgres::Error) -> bool {
    let codes = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    cause.code().is_some_and(|code| codes.contains(code))
}

/// The server's error with file, line and statement.
fn explained(cause: postgres::Error, statement: &MigrationStatement, path: &Path) -> Error {
    let shown = statement.shortened();
    let doing = format!("run {shown}");
    let Some(error) = cause.as_db_error() else {
        return failure(doing)(cause)
            .at(statement.place(path, 0))
            .hint("it stays pending; look at the target server's log, then run it again");
    };
    let place = statement.place(path, lines_before(error, &statement.sql));
    let code = error.code().clone();
    let said = message_about(error, &statement.sql, &shown);
    // A server that shuts down is not the fault of the statement.
    let is_end = code.code().starts_with("57P");
    let kind = if is_end { Kind::Target } else { Kind::Failed };
    let whole = said.withheld.as_deref().unwrap_or(&said.shown);
    let error = Error::new(kind, format!("cannot {doing}: {}", said.shown))
        .withholding(format!("{}: {whole}", statement.with_values()))
        .at(place);
    match code {
        SqlState::LOCK_NOT_AVAILABLE => {
            error.hint(lock_timeout_hint("pg_locks tells who holds the lock"))
        }
        SqlState::ACTIVE_SQL_TRANSACTION => {
            error.hint("-- migrate:no-transaction has it run outside of a transaction")
        }
        _ => match said.hint {
            Some(hint) => error.hint(hint),
            None => error,
        },
    }
}

/// The number of lines of the statement before the position that the server reports.
fn lines_before(error: &DbError, sql: &str) -> usize {
    let Some(ErrorPosition::Original(position)) = error.position() else {
        return 0;
    };
    let before = sql.chars().take((*position as usize).saturating_sub(1));
    before.filter(|c| *c == '\n').count()
}
