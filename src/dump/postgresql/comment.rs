//! `COMMENT ON`.

use super::definition::Definition;
use super::dump_statement::DumpStatement;
use super::lexer::Token;
use super::parser::Parser;
use crate::error::Result;

pub(super) fn comment(tokens: &[Token]) -> Result<DumpStatement> {
    let mut parser = Parser::new(tokens);
    parser.take(&["comment", "on"]);
    let text = |parser: &mut Parser<'_>| match (parser.take(&["is"]), parser.next()) {
        (true, Some(Token::Text(text))) => Some(text.clone()),
        _ => None,
    };
    let definition = if parser.take(&["table"]) {
        let table = parser.qualified()?;
        text(&mut parser).map(|text| Definition::Comment {
            table,
            column: None,
            text,
        })
    } else if parser.take(&["column"]) {
        let mut path = parser.path()?;
        let (column, table) = (path.pop(), path.pop());
        let text = text(&mut parser);
        table.zip(text).map(|(table, text)| Definition::Comment {
            table,
            column,
            text,
        })
    } else if parser.take(&["index"]) {
        let index = parser.qualified()?;
        text(&mut parser).map(|text| Definition::IndexComment { index, text })
    } else {
        None
    };
    Ok(definition.map_or(DumpStatement::WithoutEffect, DumpStatement::Definition))
}
