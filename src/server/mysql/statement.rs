//! Runs statements that contain parts of a dump.

use mysql::prelude::Queryable;
use mysql::{Conn, Error};

/// Runs exactly one statement. A text with several statements cannot be prepared (MySQL manual, 15.5.1), but
/// the session would run them as a plain query. The parts from a dump are quoted, or known words; if that
/// ever fails, no second statement can run.
pub(crate) fn one_statement(connection: &mut Conn, sql: &str) -> Result<(), Error> {
    let statement = connection.prep(sql)?;
    let done = connection.exec_drop(&statement, ());
    let closed = connection.close(statement);
    done.and(closed)
}
