//! Statements that are not allowed in a migration: the runner controls the session and its transactions, and
//! another session continues after an interruption.

use crate::error::Result;
use crate::migrate::refusal::{names_any, refused, refused_encoding};

/// Returns an error if `statement` is one of them.
pub(super) fn refuse(statement: &str, words: &[&str]) -> Result<()> {
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
        | [first @ "release", "savepoint", ..] => refused(
            format!(
                "{} has no place in a migration, whose transactions are the runner's",
                first.to_ascii_uppercase()
            ),
            "leave it out: in MySQL the statements between two that define something are one transaction",
        ),
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
        ["set", rest @ ..] if changes_encoding(rest, statement) => {
            refused_encoding("leave SET NAMES and SET character_set_client out")
        }
        ["set", rest @ ..] if rest.contains(&"sql_mode") && changes_texts(statement) => refused(
            "in strings a backslash always escapes here, and double quotes hold a string",
            "write names in backticks",
        ),
        _ => Ok(()),
    }
}

/// Whether a SET with these words changes the encoding of the text to another one than UTF-8.
fn changes_encoding(words: &[&str], statement: &str) -> bool {
    // The name of a variable does not matter.
    let is_variable = statement.contains('@');
    let sets = !is_variable
        && matches!(words, ["names" | "charset", ..] | ["character", "set", ..])
        || words.contains(&"character_set_client");
    sets && !names_any(statement, &["utf8", "default"])
}

/// Whether `statement` names an SQL mode in which strings end elsewhere (MySQL manual, 7.1.11).
fn changes_texts(statement: &str) -> bool {
    let modes = [
        "ansi",
        "no_backslash_escapes",
        "db2",
        "maxdb",
        "mssql",
        "oracle",
        "postgresql",
    ];
    names_any(statement, &modes)
}

#[cfg(test)]
mod tests {
    use crate::migrate::contract::check_refused;
    use crate::server::mysql::migrate::DIALECT;

    #[test]
    fn what_belongs_to_the_runner() {
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
