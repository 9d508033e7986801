//! Runs statements that were made from a dump.

use mysql::prelude::Queryable;
use mysql::{Conn, Error};

/// Runs one statement, and no more: a text that holds several cannot be prepared (MySQL manual, 15.5.1),
/// though the session would run them if it were just sent. What a dump says has become SQL by quoting and
/// by words that are known; should that ever fail, no second statement is let in behind the first.
pub(crate) fn one_statement(connection: &mut Conn, sql: &str) -> Result<(), Error> {
    let statement = connection.prep(sql)?;
    let done = connection.exec_drop(&statement, ());
    let closed = connection.close(statement);
    done.and(closed)
}
