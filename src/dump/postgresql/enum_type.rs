//! `CREATE TYPE … AS ENUM`.

use super::definition::Definition;
use super::lexer::Token;
use super::parser::{Parser, split_at_commas};

/// The enum that `tokens` create, if it is one.
pub(super) fn create_enum(tokens: &[Token]) -> Option<Definition> {
    let mut parser = Parser::new(tokens);
    parser.take(&["create", "type"]);
    let name = parser.qualified().ok()?;
    if !parser.take(&["as", "enum"]) {
        return None;
    }
    let values = split_at_commas(parser.parenthesised().ok()?);
    let value = |part: &[Token]| match part {
        [Token::Text(value)] => Some(value.clone()),
        _ => None,
    };
    let values = values.into_iter().map(value).collect::<Option<_>>()?;
    let whole = parser.at_end();
    whole.then_some(Definition::EnumType { name, values })
}
