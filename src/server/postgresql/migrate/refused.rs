//! Statements that are not allowed in a migration: the runner controls the session and its transaction.

use super::concurrent_index::ConcurrentIndex;
use crate::error::Result;
use crate::migrate::refusal::{names_any, refused, refused_encoding};

/// Returns an error if `statement` is one of them.
pub(super) fn refuse(statement: &str, words: &[&str]) -> Result<()> {
    match words {
        // As in ROLLBACK TO SAVEPOINT.
        ["rollback", rest @ ..] if rest.contains(&"to") => Ok(()),
        [
            first @ ("begin" | "commit" | "end" | "abort" | "rollback"),
            ..,
        ]
        | [first @ ("start" | "prepare"), "transaction", ..] => refused(
            format!(
                "{} has no place in a migration, which is one transaction, or none",
                first.to_ascii_uppercase()
            ),
            "leave it out; -- migrate:no-transaction has each statement take effect by itself",
        ),
        ["copy", rest @ ..] if rest.contains(&"stdin") || rest.contains(&"stdout") => refused(
            "COPY from or to the client is not possible",
            "write INSERT … VALUES",
        ),
        // A second attempt would build another index beside the one that the first attempt has left.
        ["create", ..]
            if ConcurrentIndex::of(statement).is_some_and(|index| index.name.is_none()) =>
        {
            refused(
                "an index that is built CONCURRENTLY must have a name here",
                "write CREATE INDEX CONCURRENTLY name ON …",
            )
        }
        ["discard", "all"] => refused(
            "DISCARD ALL would give up the lock that the run holds",
            "leave it out: each migration begins with a session as new",
        ),
        ["set", rest @ ..] if changes_encoding(rest, statement) => {
            refused_encoding("leave SET client_encoding and SET NAMES out")
        }
        ["set", rest @ ..] if rest.contains(&"standard_conforming_strings") => refused(
            "strings are always standard ones here",
            "where a backslash is to escape, write E'…'",
        ),
        _ => Ok(()),
    }
}

/// Whether a SET with these words changes the encoding of the text to another one than UTF-8.
fn changes_encoding(words: &[&str], statement: &str) -> bool {
    matches!(
        words,
        ["client_encoding" | "names", ..] | ["local" | "session", "client_encoding" | "names", ..]
    ) && !names_any(statement, &["utf8", "utf-8", "unicode", "default"])
}

#[cfg(test)]
mod tests {
    use crate::migrate::contract::check_refused;
    use crate::server::postgresql::migrate::DIALECT;

    #[test]
    fn what_belongs_to_the_runner() {
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
