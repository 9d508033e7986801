//! The log of the tests' PostgreSQL.

use std::fs;

use super::servers::postgresql;

/// The lines of the log of the tests' PostgreSQL that are of sessions in `database`: the number of the session, the name of
/// the program, the line.
pub(crate) fn log_of(database: &str) -> Vec<(String, String, String)> {
    let log = fs::read_to_string(postgresql().directory.join("log")).unwrap();
    let lines = log.lines().filter_map(|line| {
        let (prefix, line) = line.split_once('|')?;
        let mut words = prefix.splitn(3, ' ');
        let (session, of, program) = (words.next()?, words.next()?, words.next()?);
        (of == database).then(|| (session.to_owned(), program.to_owned(), line.to_owned()))
    });
    lines.collect()
}
