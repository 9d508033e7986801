//! Statements that a migration cannot have: the session and its transaction are the runner's.

use super::splitter::words;
use crate::error::{Error, Result};

/// An error if `statement` is one of them.
pub(in super::super) fn refuse(statement: &str) -> Result<()> {
    let words = words(statement);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        // As in ROLLBACK TO SAVEPOINT.
        ["rollback", rest @ ..] if rest.contains(&"to") => Ok(()),
        [
            first @ ("begin" | "commit" | "end" | "abort" | "rollback"),
            ..,
        ]
        | [first @ ("start" | "prepare"), "transaction", ..] => Err(Error::failed(format!(
            "{} has no place in a migration, which is one transaction, or none",
            first.to_ascii_uppercase()
        ))
        .hint("leave it out; -- migrate:no-transaction has each statement take effect by itself")),
        ["copy", rest @ ..] if rest.contains(&"stdin") || rest.contains(&"stdout") => {
            Err(Error::failed("COPY from or to the client is not possible")
                .hint("write INSERT … VALUES"))
        }
        ["set", rest @ ..] if rest.contains(&"standard_conforming_strings") => {
            Err(Error::failed("strings are always standard ones here")
                .hint("where a backslash is to escape, write E'…'"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_runners() {
        for statement in [
            "BEGIN",
            "Start Transaction",
            "/* x */ commit",
            "END",
            "ABORT",
            "rollback",
            "ROLLBACK AND CHAIN",
            "PREPARE TRANSACTION 'x'",
            "COPY t (a) FROM STDIN",
            "copy t to stdout",
            "SET standard_conforming_strings = off",
            "SET LOCAL standard_conforming_strings TO off",
        ] {
            assert!(refuse(statement).is_err(), "{statement}");
        }
        for statement in [
            "SELECT 'begin'",
            "SAVEPOINT a",
            "ROLLBACK TO a",
            "ROLLBACK WORK TO SAVEPOINT a",
            "RELEASE a",
            "PREPARE x AS SELECT 1",
            "COPY t FROM '/tmp/stdin'",
            "SET LOCAL statement_timeout = 0",
            "DO $$ BEGIN COMMIT; END $$",
        ] {
            assert!(refuse(statement).is_ok(), "{statement}");
        }
    }
}
