//! Bounds of what is kept of a dump: a hostile one may have many definitions and long names.

use crate::error::{Error, Result};

/// No definition, routine, function or view is longer. A longer statement would fill the memory.
pub(super) const MAX_STATEMENT_BYTES: usize = 16 * 1024 * 1024;

/// No server has more databases, and no database more views, triggers and routines, or tables with rows.
pub(super) const MAX_NAMES: usize = 10_000;

/// So many characters are kept of what a dump says about itself. Names have at most 64 characters or 63 bytes.
pub(super) const MAX_REMEMBERED: usize = 200;

/// No definition has more tokens; each takes many times the memory of its text.
pub(super) const MAX_TOKENS: usize = 100_000;

/// So many characters of a statement are shown in an error.
const SHOWN_CHARACTERS: usize = 60;

/// The words that a statement begins with, and those that say what it is about. What stands in other words may be a
/// value: after damage, the text of a row is taken for a statement.
const KEYWORDS: &str = " ALTER ANALYZE BEGIN CALL CHANGE CHECK COMMENT COMMIT COPY CREATE DATABASE DEALLOCATE DEFINER \
    DELETE DO DROP EVENT EXECUTE EXISTS EXTENSION FLUSH FROM FUNCTION GLOBAL GRANT HANDLER IF IGNORE IMMEDIATE INDEX INSERT \
    INSTALL INTO KILL LOAD DATA LOCAL INFILE LOCK MASTER MERGE NOT ON PREPARE PROCEDURE PURGE RENAME REPLACE REPLICATION RESET \
    REVOKE ROLE ROLLBACK SCHEMA SELECT SERVER SESSION SET SHOW SHUTDOWN SLAVE START STOP TABLE TABLES TABLESPACE TEMPORARY \
    TO TRANSACTION TRIGGER TRUNCATE TYPE UNLOCK UPDATE USE USER VALUES VIEW WITH ";

/// The beginning of `text` that is kept.
pub(super) fn remembered(text: &str) -> String {
    text.chars().take(MAX_REMEMBERED).collect()
}

/// Refuses one more of `kinds` where `known` are known already.
pub(super) fn check_count(known: usize, kinds: &str) -> Result<()> {
    if known < MAX_NAMES {
        return Ok(());
    }
    let what = format!("the dump has more than {MAX_NAMES} {kinds}");
    Err(Error::archive(what))
}

/// The error for a statement that is not known: it might change data.
pub(super) fn unknown_statement(statement: &str) -> Error {
    refused_statement(
        "the dump holds a statement that is not understood",
        statement,
    )
}

/// The error for a statement that is known, and that changes data in a way that a dump does not show. `why` says how.
pub(super) fn refused_statement(why: &str, statement: &str) -> Error {
    Error::failed(format!("{why}: {}", kind_of(statement)))
        .withholding(beginning(statement, SHOWN_CHARACTERS))
}

/// The error for a definition, of which `tell` gets the beginning. No text in it is shown: it may have swallowed rows.
pub(super) fn refused_definition(definition: &str, tell: impl FnOnce(&str) -> String) -> Error {
    let definition = definition.trim_end().trim_end_matches(';');
    let shown = beginning(definition, SHOWN_CHARACTERS);
    let upper = shown.to_ascii_uppercase();
    let end = ["INSERT", "VALUES", "REPLACE", "COPY"]
        .iter()
        .filter_map(|word| upper.find(word))
        .chain(shown.find(['\'', '"', ';', '\\']))
        .min();
    let shown = match end {
        Some(end) => format!("{} …", shown[..end].trim_end()),
        None => shown,
    };
    Error::failed(tell(&shown)).withholding(beginning(definition, SHOWN_CHARACTERS))
}

/// The words of `statement` that say of what kind it is, for an error.
fn kind_of(statement: &str) -> String {
    let is_known = |word: &&str| KEYWORDS.contains(&format!(" {} ", word.to_ascii_uppercase()));
    let words: Vec<&str> = statement
        .split_ascii_whitespace()
        .take_while(is_known)
        .collect();
    if words.is_empty() {
        return "it begins with no word of SQL".to_owned();
    }
    format!("{} …", words.join(" "))
}

/// The first `count` characters of `text`, on one line.
pub(super) fn beginning(text: &str, count: usize) -> String {
    let shown: String = text.chars().take(count).collect();
    shown.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_named_without_its_values() {
        for (statement, expected) in [
            ("DELETE FROM users;", "DELETE FROM …"),
            ("update t SET a = 's3cr3t'", "update …"),
            ("s3cr3t FROM a", "it begins with no word of SQL"),
        ] {
            assert_eq!(kind_of(statement), expected);
            let error = unknown_statement(statement);
            assert_eq!(error.withheld(), Some(statement));
        }
        for (definition, expected) in [
            ("GEO, b int INSERT INTO t VALUES (1)", "it is GEO, b int …"),
            ("geo DEFAULT 's3cr3t'", "it is geo DEFAULT …"),
        ] {
            let error = refused_definition(definition, |shown| format!("it is {shown}"));
            assert_eq!(error.to_string(), expected);
        }
    }
}
