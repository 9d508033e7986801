//! Runs a statement of a migration, and explains its failure with file, line and statement.

use std::path::Path;

use mysql::prelude::Queryable;
use mysql::{Conn, Error as Cause};

use super::non_transactional;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::migrate::MigrationStatement;
use crate::migrate::retry::{AttemptError, lock_timeout_hint};
use crate::server::mysql::error::failure;

/// The server has no prepared form of such a statement (MySQL Server Error Message Reference).
const NOT_TO_BE_PREPARED: u16 = 1295;

/// The hint if the server has not answered.
const LOST: &str =
    "look at the target server's log, then run it again: it goes on where it was cut";

/// Why a statement failed.
pub(super) struct StatementError {
    pub(super) failed: AttemptError,
    /// The server's error number and message; none if it has not answered and may have run the statement.
    pub(super) answer: Option<(u16, String)>,
    /// Whether changes remain in tables without transactions.
    pub(super) is_half_done: bool,
}

/// Runs one statement. A text with several statements cannot be prepared, so a wrong split does no harm.
pub(super) fn run_statement(
    conn: &mut Conn,
    statement: &MigrationStatement,
    path: &Path,
) -> std::result::Result<(), StatementError> {
    let mut done = conn.exec_drop(&statement.sql, ());
    if done
        .as_ref()
        .is_err_and(|cause| code(cause) == Some(NOT_TO_BE_PREPARED))
    {
        done = conn.query_drop(&statement.sql);
    }
    done.map_err(|cause| StatementError {
        answer: answer(&cause),
        is_half_done: false,
        failed: AttemptError {
            is_retryable: is_retryable(&cause),
            error: explained(cause, statement, path),
        },
    })?;
    failpoint::reached("statement run");
    Ok(())
}

/// Runs a statement of the runner in a transaction of a migration.
pub(super) fn run_own(conn: &mut Conn, sql: &str) -> std::result::Result<(), AttemptError> {
    conn.query_drop(sql).map_err(|cause| {
        let (is_retryable, is_lost) = (is_retryable(&cause), code(&cause).is_none());
        let error = failure("record what is done")(cause);
        let error = if is_lost { error.hint(LOST) } else { error };
        AttemptError {
            error,
            is_retryable,
        }
    })
}

fn code(cause: &Cause) -> Option<u16> {
    answer(cause).map(|(code, _)| code)
}

fn answer(cause: &Cause) -> Option<(u16, String)> {
    match cause {
        Cause::MySqlError(error) => Some((error.code, error.message.clone())),
        _ => None,
    }
}

/// Whether a lock timeout or a deadlock is the cause.
fn is_retryable(cause: &Cause) -> bool {
    matches!(code(cause), Some(1205 | 1213))
}

/// The server's error with file, line and statement.
fn explained(cause: Cause, statement: &MigrationStatement, path: &Path) -> Error {
    let (code, is_retryable) = (code(&cause), is_retryable(&cause));
    let doing = format!("run {}", statement.shortened());
    let place = statement.place(path, 0);
    let told = failure(doing)(cause);
    let (kind, hint) = (told.kind(), told.hint_text().map(str::to_owned));
    let whole = told
        .withheld()
        .map_or_else(|| told.to_string(), str::to_owned);
    let with_values = format!("{}: {whole}", statement.with_values());
    let error = |kind: Kind| {
        Error::new(kind, told.to_string())
            .withholding(with_values.clone())
            .at(&place)
    };
    if code.is_none() {
        return error(Kind::Target).hint(LOST);
    }
    if is_retryable {
        let hint = lock_timeout_hint("SHOW PROCESSLIST tells who is at work");
        return error(Kind::Failed).hint(hint);
    }
    let error = error(kind);
    // The hint for missing rights is about imports.
    match hint.filter(|_| code != Some(1044)) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Does `work` in a transaction. If a rollback leaves changes behind, the error says so, and there is no retry.
pub(super) fn in_transaction(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> std::result::Result<(), StatementError>,
) -> std::result::Result<(), StatementError> {
    let done = work(conn).and_then(|()| Ok(run_own(conn, "COMMIT")?));
    done.map_err(|mut error| {
        // If the session is lost, the server rolls back.
        let rolled_back: Result<()> = conn.query_drop("ROLLBACK").map_err(failure("roll back"));
        if rolled_back.is_ok() && non_transactional::is_half_done(conn) {
            error.is_half_done = true;
            error.failed.is_retryable = false;
            error.failed.error = error.failed.error.hint(
                "tables without transactions, such as MyISAM's, keep what was changed in them: undo by hand \
                 what is there of it before you run it again; ALTER TABLE … ENGINE=InnoDB protects them",
            );
        }
        error
    })
}

/// A statement of the runner is never half done.
impl From<AttemptError> for StatementError {
    fn from(failed: AttemptError) -> StatementError {
        StatementError {
            failed,
            answer: None,
            is_half_done: false,
        }
    }
}

impl From<Error> for StatementError {
    fn from(error: Error) -> StatementError {
        AttemptError::from(error).into()
    }
}
