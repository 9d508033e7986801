//! Tables whose engine has no transactions, such as MyISAM. A statement that changes their rows cannot be undone.
//! So it is a segment of its own, and may be half done when it fails.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::syntax::RULES;
use crate::error::Result;
use crate::migrate::lexer::tokens;
use crate::migrate::token::TokenKind;
use crate::server::mysql::error::failure;

/// The server could not undo changes of such tables (MySQL Server Error Message Reference).
const NOT_ROLLED_BACK: u16 = 1196;

/// A table without transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NonTransactionalTable {
    /// Its name.
    pub(super) table: String,
    /// Its engine, such as MyISAM.
    pub(super) engine: String,
}

/// The tables without transactions in `database`.
pub(super) fn non_transactional_tables(
    conn: &mut Conn,
    database: &str,
) -> Result<Vec<NonTransactionalTable>> {
    let found: Vec<(String, String)> = conn
        .exec(
            "SELECT table_name, engine FROM information_schema.tables
             WHERE table_schema = ? AND table_type = 'BASE TABLE' AND engine IN
               (SELECT engine FROM information_schema.engines WHERE transactions = 'NO')
             ORDER BY 1",
            (database,),
        )
        .map_err(failure("look at the engines of the tables"))?;
    let tables = found.into_iter();
    Ok(tables
        .map(|(table, engine)| NonTransactionalTable { table, engine })
        .collect())
}

/// The first of `tables` that `statement` names.
pub(super) fn named<'a>(
    statement: &str,
    tables: &'a [NonTransactionalTable],
) -> Option<&'a NonTransactionalTable> {
    if tables.is_empty() {
        return None;
    }
    for token in tokens(statement, &RULES) {
        let text = &statement[token.start..token.end];
        let name = match token.kind {
            TokenKind::Word(word) => word.to_owned(),
            TokenKind::Quoted if text.starts_with('`') => {
                text[1..text.len() - 1].replace("``", "`")
            }
            _ => continue,
        };
        // The server's file system decides whether case matters.
        let is_named =
            |one: &&NonTransactionalTable| one.table.to_lowercase() == name.to_lowercase();
        if let Some(found) = tables.iter().find(is_named) {
            return Some(found);
        }
    }
    None
}

/// Whether the server warns that the last rollback has left changes behind.
pub(super) fn is_half_done(conn: &mut Conn) -> bool {
    let warnings: Vec<(String, u16, String)> = conn.query("SHOW WARNINGS").unwrap_or_default();
    warnings.iter().any(|(_, code, _)| *code == NOT_ROLLED_BACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_outside_of_strings() {
        let tables = [NonTransactionalTable {
            table: "a`Log".to_owned(),
            engine: "MyISAM".to_owned(),
        }];
        assert!(named("INSERT INTO d.`a``log` VALUES (1)", &tables).is_some());
        for other in ["INSERT INTO t VALUES ('`a``log`')", "SELECT 1 /* a`Log */"] {
            assert!(named(other, &tables).is_none(), "{other}");
        }
    }
}
