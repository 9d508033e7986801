//! The statements around rows: COPY, and the head and the end of an INSERT.

use super::dump_statement::{BEGINNING_TOKENS, DumpStatement};
use super::lexer::{Token, first_tokens, tokens};
use super::parser::{Parser, not_understood};
use crate::dump::events::{Duplicates, InsertTarget};
use crate::dump::quoting::Quoting;
use crate::error::{Error, Result};

pub(super) fn copy(tokens: &[Token]) -> Result<DumpStatement> {
    let mut parser = Parser::new(tokens);
    parser.take(&["copy"]);
    let table = parser.qualified()?;
    let columns = if parser.rest().first() == Some(&Token::Symbol('(')) {
        Some(parser.names()?)
    } else {
        None
    };
    if parser.take(&["from", "stdin"]) && parser.at_end() {
        return Ok(DumpStatement::Copy(InsertTarget {
            database: None,
            table,
            columns,
            duplicates: Duplicates::Refused,
            quoting: Quoting::default(),
        }));
    }
    Err(Error::archive(format!(
        "the COPY of {table} is none that pg_dump writes, and is refused"
    ))
    .hint("only COPY … FROM stdin without options is read"))
}

/// The head of an INSERT, up to VALUES.
pub(super) fn insert_head(head: &str) -> Result<InsertTarget> {
    let tokens = tokens(head, false)?;
    let mut parser = Parser::new(&tokens);
    if !parser.take(&["insert", "into"]) {
        return Err(not_understood("an INSERT goes nowhere"));
    }
    let table = parser.qualified()?;
    let columns = if parser.rest().first() == Some(&Token::Symbol('(')) {
        Some(parser.names()?)
    } else {
        None
    };
    parser.take(&["overriding", "system", "value"]);
    if parser.take(&["values"]) && parser.at_end() {
        return Ok(InsertTarget {
            database: None,
            table,
            columns,
            duplicates: Duplicates::Refused,
            quoting: Quoting::default(),
        });
    }
    Err(not_understood("an INSERT has more than columns and values"))
}

/// Whether `text`, behind the tuples of an INSERT, has no effect on them.
pub(super) fn is_end_of_insert(text: &str) -> bool {
    let tokens = first_tokens(text, BEGINNING_TOKENS);
    let mut parser = Parser::new(&tokens);
    parser.take(&["on", "conflict", "do", "nothing"]);
    parser.at_end()
}
