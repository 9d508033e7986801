//! The kinds of statements. The kind decides how a statement runs, and how the next run continues after an
//! interruption that has left its outcome unknown.

use super::idempotence::is_idempotent;
use super::syntax::RULES;
use crate::migrate::lexer::words;

/// The kind of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatementKind {
    /// It changes rows, as a part of a transaction.
    Rows,
    /// It changes only the session. A run that continues the migration repeats it.
    Session,
    /// It creates, alters or drops something atomically, and commits (MySQL manual, 15.1.1 "Atomic Data
    /// Definition Statement Support"). A repetition fails with an error that says so, or changes nothing.
    Definition,
    /// It commits, and may be repeated.
    Repeatable,
    /// Its effect is not known. A repetition may be wrong.
    Unknown,
    /// It changes rows of a table without transactions. An interruption may leave it half done.
    NonTransactional,
}

impl StatementKind {
    pub(super) fn of(statement: &str) -> StatementKind {
        let words = words(statement, &RULES);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [
                "select" | "insert" | "update" | "delete" | "replace" | "with" | "values" | "do"
                | "load" | "table" | "explain" | "show" | "describe" | "desc",
                ..,
            ] => StatementKind::Rows,
            ["set", "password" | "default" | "role", ..] => StatementKind::Repeatable,
            ["set" | "use" | "prepare" | "deallocate", ..] | ["drop", "prepare", ..] => {
                StatementKind::Session
            }
            // Checksums of definitions do not cover these.
            ["alter", "user", ..] => StatementKind::Repeatable,
            ["create", "or", "replace", "user" | "role" | "server", ..] => {
                StatementKind::Repeatable
            }
            [_, "user" | "role" | "server", "if", ..] => StatementKind::Repeatable,
            [
                "create" | "alter" | "drop" | "rename",
                "user" | "role" | "server",
                ..,
            ] => StatementKind::Unknown,
            ["create" | "alter" | "drop" | "rename", ..] if is_idempotent(statement) => {
                StatementKind::Definition
            }
            [
                "grant" | "revoke" | "analyze" | "optimize" | "check" | "repair" | "checksum"
                | "flush",
                ..,
            ] => StatementKind::Repeatable,
            _ => StatementKind::Unknown,
        }
    }

    /// Whether it ends the current transaction, and takes effect at once.
    pub(super) fn commits(self) -> bool {
        !matches!(self, StatementKind::Rows | StatementKind::Session)
    }

    /// Whether a person must decide about a repetition.
    pub(super) fn needs_decision(self) -> bool {
        matches!(
            self,
            StatementKind::Unknown | StatementKind::NonTransactional
        )
    }
}

/// Whether the error `code` means that a definition was made before: the object to create exists, or the
/// object to alter or drop does not (MySQL Server Error Message Reference; MariaDB has the same numbers, and
/// both have some of their own).
pub(super) fn says_it_was_done(code: u16, message: &str) -> bool {
    const THERE: [u16; 10] = [1007, 1050, 1060, 1061, 1068, 1304, 1359, 1537, 1826, 3822];
    const GONE: [u16; 13] = [
        1008, 1051, 1054, 1091, 1146, 1176, 1305, 1360, 1539, 3821, 3940, 4091, 4092,
    ];
    // MariaDB's error for the name of another foreign key.
    let is_key_there = code == 1005 && message.contains("errno: 121");
    is_key_there || THERE.contains(&code) || GONE.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (statement, kind) in [
            ("INSERT INTO t VALUES ('drop')", StatementKind::Rows),
            ("(SELECT 1)", StatementKind::Rows),
            ("SET @a = 1", StatementKind::Session),
            ("SET PASSWORD = 'x'", StatementKind::Repeatable),
            ("/*!40101 SET NAMES utf8 */", StatementKind::Session),
            ("PREPARE s FROM @a", StatementKind::Session),
            ("EXECUTE s", StatementKind::Unknown),
            ("CALL p()", StatementKind::Unknown),
            ("truncate t", StatementKind::Unknown),
            ("ALTER TABLE t ADD a int", StatementKind::Definition),
            ("Rename Table a TO b", StatementKind::Definition),
            ("ALTER TABLE t ADD INDEX (a)", StatementKind::Unknown),
            ("ALTER TABLE t ADD INDEX i (a)", StatementKind::Definition),
            ("CREATE USER a", StatementKind::Unknown),
            ("DROP ROLE IF EXISTS a", StatementKind::Repeatable),
            ("OPTIMIZE TABLE t", StatementKind::Repeatable),
        ] {
            assert_eq!(StatementKind::of(statement), kind, "{statement}");
        }
    }
}
