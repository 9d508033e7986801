//! Sequences: `CREATE SEQUENCE`, and the values they are set to.

use super::convert_notation::is_raise_of_sequence;
use super::definition::{Definition, SequenceDefinition};
use super::dump_statement::{AllTokens, DumpStatement};
use super::lexer::Token;
use super::names::name_in_text;
use super::parser::{Parser, not_understood, split_at_commas};
use crate::error::Result;

pub(super) fn create_sequence(tokens: &[Token]) -> Result<DumpStatement> {
    let mut parser = Parser::new(tokens);
    parser.until(&["sequence"]);
    parser.take(&["sequence"]);
    parser.take(&["if", "not", "exists"]);
    let name = parser.qualified()?;
    let sequence = sequence_options(parser, name);
    Ok(DumpStatement::Definition(Definition::Sequence(sequence)))
}

/// Reads the options of a sequence. Only the increment is kept: the import sets the value itself.
pub(super) fn sequence_options(mut parser: Parser<'_>, name: String) -> SequenceDefinition {
    parser.until(&["increment"]);
    parser.take(&["increment"]);
    parser.take(&["by"]);
    let sign = if parser.take_symbol('-') { "-" } else { "" };
    let increment = match parser.next() {
        Some(Token::Number(number)) => Some(format!("{sign}{number}")),
        _ => None,
    };
    SequenceDefinition {
        name,
        increment: increment.filter(|increment| increment != "1"),
    }
}

pub(super) fn select(first: &[Token], whole: AllTokens<'_>) -> Result<DumpStatement> {
    let mut parser = Parser::new(first);
    parser.take(&["select"]);
    parser.take(&["pg_catalog"]);
    parser.take_symbol('.');
    if parser.take(&["set_config"]) {
        return Ok(DumpStatement::WithoutEffect);
    }
    if !parser.take(&["setval"]) {
        return Ok(DumpStatement::Unknown);
    }
    let tokens = whole()?;
    if is_raise_of_sequence(&tokens[1..]) {
        return Ok(DumpStatement::WithoutEffect);
    }
    let mut parser = Parser::new(&tokens);
    parser.until(&["setval"]);
    parser.take(&["setval"]);
    let parts = split_at_commas(parser.parenthesised()?);
    if !parser.at_end() {
        return Ok(DumpStatement::Unknown);
    }
    let (Some([Token::Text(sequence), ..]), Some(value)) = (parts.first(), parts.get(1)) else {
        return Ok(DumpStatement::Unknown);
    };
    // A sequence that counts down has a value below zero. It counts up from 1 after the import.
    let value: u64 = match value {
        [Token::Number(number)] => number
            .parse()
            .map_err(|_| not_understood("a sequence is set to no number"))?,
        [Token::Symbol('-'), Token::Number(_)] => 0,
        _ => return Ok(DumpStatement::Unknown),
    };
    let called = match parts.get(2) {
        None => true,
        Some([Token::Word(word)]) if word == "true" || word == "false" => word == "true",
        Some(_) => return Ok(DumpStatement::Unknown),
    };
    Ok(DumpStatement::Definition(Definition::SetValue {
        sequence: name_in_text(sequence),
        next: value.saturating_add(u64::from(called)),
    }))
}
