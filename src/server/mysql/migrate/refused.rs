//! Statements that a migration cannot have: the session and its transactions are the runner's, and another
//! session goes on where one was cut.

use crate::error::{Error, Result};

/// An error if `statement` is one of them.
pub(super) fn refuse(statement: &str, words: &[&str]) -> Result<()> {
    let refused = |what: &str, hint: &str| Err(Error::failed(what.to_owned()).hint(hint));
    match words {
        ["delimiter", ..] => refused(
            "DELIMITER is a command of the client mysql",
            "leave it out: the body of a trigger or routine is one statement here, up to its END",
        ),
        [
            first @ ("begin" | "commit" | "rollback" | "savepoint" | "xa"),
            ..,
        ]
        | [first @ "start", "transaction", ..]
        | [first @ "release", "savepoint", ..] => Err(Error::failed(format!(
            "{} has no place in a migration, whose transactions are the runner's",
            first.to_ascii_uppercase()
        ))
        .hint(
            "leave it out: in MySQL the statements between two that define something are one transaction",
        )),
        ["set", rest @ ..] if rest.contains(&"autocommit") => refused(
            "SET autocommit has no place in a migration, whose transactions are the runner's",
            "leave it out; -- migrate:no-transaction has each statement take effect by itself",
        ),
        ["lock" | "unlock", ..] => refused(
            "LOCK TABLES would keep the runner from its record",
            "leave it out; a statement that defines something locks what it needs",
        ),
        ["create", rest @ ..] if rest.iter().take(3).any(|word| *word == "temporary") => refused(
            "a temporary table is gone when another session goes on with the migration",
            "make an ordinary table, and drop it at the end",
        ),
        ["load", rest @ ..] if rest.contains(&"local") => refused(
            "LOAD DATA LOCAL from the client is not possible",
            "write INSERT … VALUES",
        ),
        ["set", rest @ ..] if changes_encoding(rest, statement) => refused(
            "the text of a migration is UTF-8, for the server too",
            "leave SET NAMES and SET character_set_client out",
        ),
        ["set", rest @ ..] if rest.contains(&"sql_mode") && changes_texts(statement) => refused(
            "in strings a backslash always escapes here, and double quotes hold a string",
            "write names in backticks",
        ),
        _ => Ok(()),
    }
}

/// Whether a SET of those words has the server take the text that follows for another encoding than UTF-8.
fn changes_encoding(words: &[&str], statement: &str) -> bool {
    // A variable may have any name.
    let is_variable = statement.contains('@');
    let sets = !is_variable
        && matches!(words, ["names" | "charset", ..] | ["character", "set", ..])
        || words.contains(&"character_set_client");
    let statement = statement.to_ascii_lowercase();
    sets && !["utf8", "default"]
        .iter()
        .any(|same| statement.contains(same))
}

/// Whether a mode may come that has strings end elsewhere (MySQL manual, 7.1.11).
fn changes_texts(statement: &str) -> bool {
    let statement = statement.to_ascii_uppercase();
    let modes = [
        "ANSI",
        "NO_BACKSLASH_ESCAPES",
        "DB2",
        "MAXDB",
        "MSSQL",
        "ORACLE",
        "POSTGRESQL",
    ];
    modes.iter().any(|mode| statement.contains(mode))
}

#[cfg(test)]
mod tests {
    use crate::migrate::contract::check_refused;
    use crate::server::mysql::migrate::DIALECT;

    #[test]
    fn what_is_the_runners() {
        let refused = [
            "DELIMITER //",
            "BEGIN",
            "Start Transaction",
            "/* x */ commit",
            "/*! rollback */",
            "ROLLBACK TO a",
            "SAVEPOINT a",
            "XA START 'x'",
            "SET autocommit = 0",
            "SET @@session.autocommit=0",
            "LOCK TABLES t WRITE",
            "UNLOCK TABLES",
            "CREATE TEMPORARY TABLE t (a int)",
            "create or replace temporary table t (a int)",
            "LOAD DATA LOCAL INFILE 'x' INTO TABLE t",
            "SET NAMES latin1",
            "SET CHARACTER SET 'cp1250'",
            "SET @@session.character_set_client = latin1",
            "SET sql_mode = 'ANSI_QUOTES'",
            "SET SESSION sql_mode = CONCAT(@@sql_mode, ',no_backslash_escapes')",
        ];
        let allowed = [
            "SELECT 'begin'",
            "SET sql_mode = ''",
            "/*!40101 SET NAMES utf8mb4 */",
            "SET @names = 1",
            "START SLAVE",
            "CREATE TABLE temporary_things (a int)",
            "CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW BEGIN SET @a = 1; END",
            "LOAD DATA INFILE 'x' INTO TABLE t",
        ];
        check_refused(DIALECT, &refused, &allowed);
    }
}
