//! Runs one statement of a migration, and explains its failure: file, line, statement.

use std::path::Path;

use mysql::prelude::Queryable;
use mysql::{Conn, Error as Cause};

use super::engines;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::migrate::Statement;
use crate::migrate::patience::Failed;
use crate::server::mysql::error::failure;

/// The server has no prepared form of such a statement (MySQL Server Error Message Reference).
const NOT_TO_BE_PREPARED: u16 = 1295;

/// What is to be done where the server has not answered.
const LOST: &str =
    "look at the target server's log, then run it again: it goes on where it was cut";

/// Why a statement failed.
pub(super) struct Unsuccessful {
    pub(super) failed: Failed,
    /// The server's number of the error and its message; none if it has not answered, and may have done it.
    pub(super) answer: Option<(u16, String)>,
    /// Whether a part of it is there all the same, in tables without transactions.
    pub(super) is_half_done: bool,
}

/// Runs one statement, and no more: a text that holds several cannot be prepared, so what was split
/// wrongly does no harm.
pub(super) fn run_statement(
    conn: &mut Conn,
    statement: &Statement,
    path: &Path,
) -> std::result::Result<(), Unsuccessful> {
    let mut done = conn.exec_drop(&statement.sql, ());
    if done
        .as_ref()
        .is_err_and(|cause| code(cause) == Some(NOT_TO_BE_PREPARED))
    {
        done = conn.query_drop(&statement.sql);
    }
    done.map_err(|cause| Unsuccessful {
        answer: answer(&cause),
        is_half_done: false,
        failed: Failed {
            again: is_in_the_way(&cause),
            error: explained(cause, statement, path),
        },
    })?;
    failpoint::reached("statement run");
    Ok(())
}

/// Runs a statement of the runner's own in a transaction of a migration.
pub(super) fn run_own(conn: &mut Conn, sql: &str) -> std::result::Result<(), Failed> {
    conn.query_drop(sql).map_err(|cause| {
        let (again, is_lost) = (is_in_the_way(&cause), code(&cause).is_none());
        let error = failure("record what is done")(cause);
        let error = if is_lost { error.hint(LOST) } else { error };
        Failed { error, again }
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

/// Whether others held a lock for too long, or one of two had to give way.
fn is_in_the_way(cause: &Cause) -> bool {
    matches!(code(cause), Some(1205 | 1213))
}

/// The server's error with file, line and statement.
fn explained(cause: Cause, statement: &Statement, path: &Path) -> Error {
    let (code, in_the_way) = (code(&cause), is_in_the_way(&cause));
    let doing = format!("run {}", statement.shortened());
    let place = statement.place(path, 0);
    let told = failure(doing)(cause);
    let (kind, hint) = (told.kind(), told.hint_text().map(str::to_owned));
    let told = told.at(place);
    if code.is_none() {
        return Error::new(Kind::Target, told.to_string()).hint(LOST);
    }
    if in_the_way {
        return Error::new(Kind::Failed, told.to_string()).hint(
            "it stays pending; SHOW PROCESSLIST tells who is at work; wait longer with --lock-timeout, \
             or oftener with --lock-retries",
        );
    }
    let error = Error::new(kind, told.to_string());
    // What the import would need is no concern of a migration.
    match hint.filter(|_| code != Some(1044)) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Does `work` in a transaction. Where that is rolled back and a part of it is there all the same, the error says
/// so, and it is not done again.
pub(super) fn in_transaction(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> std::result::Result<(), Unsuccessful>,
) -> std::result::Result<(), Unsuccessful> {
    let done = work(conn).and_then(|()| Ok(run_own(conn, "COMMIT")?));
    done.map_err(|mut unsuccessful| {
        // Where the session is lost, the server does it.
        let rolled_back: Result<()> = conn.query_drop("ROLLBACK").map_err(failure("roll back"));
        if rolled_back.is_ok() && engines::is_half_done(conn) {
            unsuccessful.is_half_done = true;
            unsuccessful.failed.again = false;
            unsuccessful.failed.error = unsuccessful.failed.error.hint(
                "tables without transactions, such as MyISAM's, keep what was changed in them: undo by hand \
                 what is there of it before you run it again; ALTER TABLE … ENGINE=InnoDB protects them",
            );
        }
        unsuccessful
    })
}

/// What the runner does itself is done or not.
impl From<Failed> for Unsuccessful {
    fn from(failed: Failed) -> Unsuccessful {
        Unsuccessful {
            failed,
            answer: None,
            is_half_done: false,
        }
    }
}

impl From<Error> for Unsuccessful {
    fn from(error: Error) -> Unsuccessful {
        Failed::from(error).into()
    }
}
