//! The tables whose engine has no transactions, such as MyISAM's: a statement that changes their rows cannot be
//! undone, so it is not part of a transaction, and may be half done when it fails.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::syntax::RULES;
use crate::error::Result;
use crate::migrate::lexer;
use crate::migrate::token::TokenKind;
use crate::server::mysql::error::failure;

/// The server could not undo what was changed in such tables (MySQL Server Error Message Reference).
const NOT_ROLLED_BACK: u16 = 1196;

/// A table that has no transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unprotected {
    /// Its name.
    pub(super) table: String,
    /// As in MyISAM.
    pub(super) engine: String,
}

/// Those of `database`.
pub(super) fn unprotected(conn: &mut Conn, database: &str) -> Result<Vec<Unprotected>> {
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
        .map(|(table, engine)| Unprotected { table, engine })
        .collect())
}

/// The first of `tables` that `statement` names.
pub(super) fn named<'a>(statement: &str, tables: &'a [Unprotected]) -> Option<&'a Unprotected> {
    if tables.is_empty() {
        return None;
    }
    for token in lexer::tokens(statement, &RULES) {
        let text = &statement[token.start..token.end];
        let name = match token.kind {
            TokenKind::Word(word) => word.to_owned(),
            TokenKind::Quoted if text.starts_with('`') => {
                text[1..text.len() - 1].replace("``", "`")
            }
            _ => continue,
        };
        // Whether case matters depends on the server's file system.
        let is_named = |one: &&Unprotected| one.table.to_lowercase() == name.to_lowercase();
        if let Some(found) = tables.iter().find(is_named) {
            return Some(found);
        }
    }
    None
}

/// Whether what was rolled back just now is there in part, as the server warns.
pub(super) fn is_half_done(conn: &mut Conn) -> bool {
    let warnings: Vec<(String, u16, String)> = conn.query("SHOW WARNINGS").unwrap_or_default();
    warnings.iter().any(|(_, code, _)| *code == NOT_ROLLED_BACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_outside_of_strings() {
        let tables = [Unprotected {
            table: "a`Log".to_owned(),
            engine: "MyISAM".to_owned(),
        }];
        assert!(named("INSERT INTO d.`a``log` VALUES (1)", &tables).is_some());
        for other in ["INSERT INTO t VALUES ('`a``log`')", "SELECT 1 /* a`Log */"] {
            assert!(named(other, &tables).is_none(), "{other}");
        }
    }
}
