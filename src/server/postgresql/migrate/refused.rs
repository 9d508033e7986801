//! Statements that a migration cannot have: the session and its transaction are the runner's.

use super::concurrently::Concurrent;
use crate::error::{Error, Result};

/// An error if `statement` is one of them.
pub(super) fn refuse(statement: &str, words: &[&str]) -> Result<()> {
    match words {
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
        // Run again after a failure, it would be built beside the one that is left of the first try.
        ["create", ..] if Concurrent::of(statement).is_some_and(|index| index.name.is_none()) => {
            Err(
                Error::failed("an index that is built CONCURRENTLY must have a name here")
                    .hint("write CREATE INDEX CONCURRENTLY name ON …"),
            )
        }
        ["discard", "all"] => Err(Error::failed(
            "DISCARD ALL would give up the lock that the run holds",
        )
        .hint("leave it out: each migration begins with a session as new")),
        ["set", rest @ ..] if changes_encoding(rest, statement) => Err(Error::failed(
            "the text of a migration is UTF-8, for the server too",
        )
        .hint("leave SET client_encoding and SET NAMES out")),
        ["set", rest @ ..] if rest.contains(&"standard_conforming_strings") => {
            Err(Error::failed("strings are always standard ones here")
                .hint("where a backslash is to escape, write E'…'"))
        }
        _ => Ok(()),
    }
}

/// Whether a SET of those words has the server take the text that follows for another encoding than UTF-8.
fn changes_encoding(words: &[&str], statement: &str) -> bool {
    let statement = statement.to_ascii_lowercase();
    matches!(
        words,
        ["client_encoding" | "names", ..] | ["local" | "session", "client_encoding" | "names", ..]
    ) && !["utf8", "utf-8", "unicode", "default"]
        .iter()
        .any(|same| statement.contains(same))
}

#[cfg(test)]
mod tests {
    use crate::migrate::contract::check_refused;
    use crate::server::postgresql::migrate::DIALECT;

    #[test]
    fn what_is_the_runners() {
        let refused = [
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
            "CREATE UNIQUE INDEX CONCURRENTLY ON t (a)",
            "DISCARD ALL",
            "SET client_encoding = 'LATIN1'",
            "SET LOCAL client_encoding TO sql_ascii",
            "SET NAMES 'latin1'",
        ];
        let allowed = [
            "SELECT 'begin'",
            "SAVEPOINT a",
            "CREATE INDEX CONCURRENTLY \"on\" ON t (a)",
            "CREATE INDEX ON t (a)",
            "DISCARD TEMP",
            "SET client_encoding = 'UTF8'",
            "ROLLBACK TO a",
            "ROLLBACK WORK TO SAVEPOINT a",
            "RELEASE a",
            "PREPARE x AS SELECT 1",
            "COPY t FROM '/tmp/stdin'",
            "SET LOCAL statement_timeout = 0",
            "DO $$ BEGIN COMMIT; END $$",
        ];
        check_refused(DIALECT, &refused, &allowed);
    }
}
