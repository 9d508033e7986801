//! `CREATE INDEX`.

use super::definition::{Definition, IndexDefinition, IndexMethod, IndexPart};
use super::dump_statement::DumpStatement;
use super::expression::expression;
use super::lexer::Token;
use super::parser::{Parser, not_understood, split_at_commas};
use crate::error::Result;

/// The operator classes that are kept. All of them are built in.
const OPERATOR_CLASSES: [&str; 5] = [
    "varchar_pattern_ops",
    "text_pattern_ops",
    "bpchar_pattern_ops",
    "text_ops",
    "varchar_ops",
];

pub(super) fn create_index(tokens: &[Token]) -> Result<DumpStatement> {
    let mut parser = Parser::new(tokens);
    parser.take(&["create"]);
    let is_unique = parser.take(&["unique"]);
    parser.take(&["index"]);
    parser.take(&["concurrently"]);
    parser.take(&["if", "not", "exists"]);
    let name = parser.name()?;
    if !parser.take(&["on"]) {
        return Err(not_understood("an index is on nothing"));
    }
    parser.take(&["only"]);
    let table = parser.qualified()?;
    let method = if parser.take(&["using"]) {
        parser.name()?
    } else {
        "btree".to_owned()
    };
    let method = match method.as_str() {
        "btree" => Ok(IndexMethod::Btree),
        "gin" => Ok(IndexMethod::Gin),
        _ => Err("it is no btree"),
    };
    let parts = split_at_commas(parser.parenthesised()?);
    let parts = method.and_then(|_| parts.into_iter().map(index_part).collect());
    // Its storage parameters are ignored.
    if parser.take(&["with"]) {
        parser.parenthesised()?;
    }
    let parts = match (parser.at_end(), parser.is("where")) {
        (true, _) => parts,
        (_, true) => Err("it is over some of the rows only"),
        _ => Err("it has more than columns"),
    };
    Ok(DumpStatement::Definition(Definition::Index(
        IndexDefinition {
            name,
            table,
            is_unique,
            method: method.unwrap_or(IndexMethod::Btree),
            parts,
        },
    )))
}

fn index_part(tokens: &[Token]) -> std::result::Result<IndexPart, &'static str> {
    let unknown = "it has an expression or an operator class that is not known";
    let mut parser = Parser::new(tokens);
    let opens = |parser: &Parser<'_>| parser.rest().first() == Some(&Token::Symbol('('));
    // A column, `function(…)`, or `(expression)`.
    if !opens(&parser) {
        parser.name().map_err(|_| unknown)?;
    }
    if opens(&parser) {
        parser.parenthesised().map_err(|_| unknown)?;
    }
    let of = &tokens[..tokens.len() - parser.rest().len()];
    let of = expression(of).ok_or(unknown)?;
    parser.take(&["pg_catalog"]);
    parser.take_symbol('.');
    let operator_class = OPERATOR_CLASSES
        .into_iter()
        .find(|class| parser.take(&[class]));
    let descending = parser.take(&["desc"]);
    parser.take(&["asc"]);
    let nulls_first = if parser.take(&["nulls", "first"]) {
        Some(true)
    } else {
        parser.take(&["nulls", "last"]).then_some(false)
    };
    if !parser.at_end() {
        return Err(unknown);
    }
    Ok(IndexPart {
        of,
        operator_class,
        descending,
        nulls_first,
    })
}
