//! What becomes of a statement when it is cut, by what it does: that decides how it is run, and how one
//! is gone on with whose end is not known.

use super::syntax::RULES;
use super::twice::is_harmless_twice;
use crate::migrate::lexer::words;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It changes rows, and is part of the transaction it is in.
    Rows,
    /// It sets something in the session alone: whoever goes on with the migration does it again.
    Session,
    /// It makes, changes or drops something, all of it or nothing, and commits (MySQL manual, 15.1.1
    /// "Atomic Data Definition Statement Support"). Done twice, it says that it was done before, or does nothing.
    Definition,
    /// It commits, and may be done twice.
    Repeatable,
    /// What it does is its own affair, and once more may be once too much.
    Unknown,
    /// It changes rows of a table without transactions: cut, it may be half done.
    Unprotected,
}

impl Kind {
    pub(super) fn of(statement: &str) -> Kind {
        let words = words(statement, &RULES);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [
                "select" | "insert" | "update" | "delete" | "replace" | "with" | "values" | "do"
                | "load" | "table" | "explain" | "show" | "describe" | "desc",
                ..,
            ] => Kind::Rows,
            ["set", "password" | "default" | "role", ..] => Kind::Repeatable,
            ["set" | "use" | "prepare" | "deallocate", ..] | ["drop", "prepare", ..] => {
                Kind::Session
            }
            // The definitions of a database do not tell of these.
            ["alter", "user", ..] => Kind::Repeatable,
            ["create", "or", "replace", "user" | "role" | "server", ..] => Kind::Repeatable,
            [_, "user" | "role" | "server", "if", ..] => Kind::Repeatable,
            [
                "create" | "alter" | "drop" | "rename",
                "user" | "role" | "server",
                ..,
            ] => Kind::Unknown,
            ["create" | "alter" | "drop" | "rename", ..] if is_harmless_twice(statement) => {
                Kind::Definition
            }
            [
                "grant" | "revoke" | "analyze" | "optimize" | "check" | "repair" | "checksum"
                | "flush",
                ..,
            ] => Kind::Repeatable,
            _ => Kind::Unknown,
        }
    }

    /// Whether it commits what is before it, and takes effect by itself.
    pub(super) fn commits(self) -> bool {
        !matches!(self, Kind::Rows | Kind::Session)
    }

    /// Whether nobody may run it again who does not know that it was not done.
    pub(super) fn is_for_people(self) -> bool {
        matches!(self, Kind::Unknown | Kind::Unprotected)
    }
}

/// Whether the server says by the error `code` that a definition was made before (MySQL Server Error
/// Message Reference; MariaDB has the same numbers, and both have some more): what is to be made is there, or what is to be changed or dropped is
/// not.
pub(super) fn says_it_was_done(code: u16, message: &str) -> bool {
    const THERE: [u16; 10] = [1007, 1050, 1060, 1061, 1068, 1304, 1359, 1537, 1826, 3822];
    const GONE: [u16; 13] = [
        1008, 1051, 1054, 1091, 1146, 1176, 1305, 1360, 1539, 3821, 3940, 4091, 4092,
    ];
    // MariaDB's of a foreign key whose name another has.
    let is_key_there = code == 1005 && message.contains("errno: 121");
    is_key_there || THERE.contains(&code) || GONE.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (statement, kind) in [
            ("INSERT INTO t VALUES ('drop')", Kind::Rows),
            ("(SELECT 1)", Kind::Rows),
            ("SET @a = 1", Kind::Session),
            ("SET PASSWORD = 'x'", Kind::Repeatable),
            ("/*!40101 SET NAMES utf8 */", Kind::Session),
            ("PREPARE s FROM @a", Kind::Session),
            ("EXECUTE s", Kind::Unknown),
            ("CALL p()", Kind::Unknown),
            ("truncate t", Kind::Unknown),
            ("ALTER TABLE t ADD a int", Kind::Definition),
            ("Rename Table a TO b", Kind::Definition),
            ("ALTER TABLE t ADD INDEX (a)", Kind::Unknown),
            ("ALTER TABLE t ADD INDEX i (a)", Kind::Definition),
            ("CREATE USER a", Kind::Unknown),
            ("DROP ROLE IF EXISTS a", Kind::Repeatable),
            ("OPTIMIZE TABLE t", Kind::Repeatable),
        ] {
            assert_eq!(Kind::of(statement), kind, "{statement}");
        }
    }
}
