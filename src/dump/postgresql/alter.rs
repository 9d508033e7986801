//! `ALTER`: changes of earlier definitions.

use super::constraint::constraint;
use super::convert_notation::{changed_type, renamed_sequence};
use super::default_value::default_value;
use super::definition::Definition;
use super::dump_statement::{AllTokens, DumpStatement};
use super::lexer::Token;
use super::parser::{Parser, split_at_commas};
use super::sequence::sequence_options;
use crate::error::Result;

/// `ALTER TABLE … ADD GENERATED …` and other changes of earlier definitions.
pub(super) fn alter(first: &[Token], whole: AllTokens<'_>) -> Result<DumpStatement> {
    let mut parser = Parser::new(first);
    parser.take(&["alter"]);
    if parser.take(&["table"]) {
        parser.take(&["only"]);
        parser.take(&["if", "exists"]);
        parser.take(&["only"]);
        let Ok(table) = parser.qualified() else {
            return Ok(DumpStatement::Unknown);
        };
        return alter_table(&table, first.len(), &parser, whole);
    }
    if parser.is("default") || parser.is("database") || parser.is("role") {
        return Ok(DumpStatement::WithoutEffect);
    }
    let mut sequence = parser.clone();
    if sequence.take(&["sequence"])
        && let Some((from, to)) = renamed_sequence(sequence.rest())
    {
        return Ok(DumpStatement::Definition(Definition::RenamedSequence {
            from,
            to,
        }));
    }
    // The owner of a sequence is ignored: the column whose default it is owns it.
    let harmless = |token: &Token| matches!(token, Token::Word(word) if ["owner", "owned", "depends", "statistics"].contains(&word.as_str()));
    Ok(if parser.rest().iter().any(harmless) {
        DumpStatement::WithoutEffect
    } else {
        DumpStatement::Unknown
    })
}

/// `begin` is behind the name of the table, in `first_count` tokens from the beginning of the statement.
fn alter_table(
    table: &str,
    first_count: usize,
    begin: &Parser<'_>,
    whole: AllTokens<'_>,
) -> Result<DumpStatement> {
    let harmless: [&[&str]; 12] = [
        &["owner", "to"],
        &["drop", "constraint"],
        &["cluster", "on"],
        &["replica", "identity"],
        &["enable", "trigger"],
        &["disable", "trigger"],
        &["set", "without"],
        &["set", "tablespace"],
        &["set", "logged"],
        &["set", "unlogged"],
        &["set", "access"],
        &["validate", "constraint"],
    ];
    let begins = |words: &[&str]| begin.clone().take(words);
    if harmless.iter().any(|words| begins(words)) {
        return Ok(DumpStatement::WithoutEffect);
    }
    if begins(&["enable", "row"]) || begins(&["force", "row"]) {
        return Ok(DumpStatement::LeftOut("row security of", table.to_owned()));
    }
    let tokens = whole()?;
    // No string is before the action, so these tokens are the same whether backslashes escape or not.
    let skipped = first_count - begin.rest().len();
    let mut parser = Parser::new(tokens.get(skipped..).unwrap_or_default());
    if parser.take(&["add", "constraint"]) {
        let name = parser.name()?;
        let constraint = constraint(name, &mut parser)?;
        return Ok(DumpStatement::Definition(Definition::Constraint {
            table: table.to_owned(),
            constraint,
        }));
    }
    if let Some((column, data_type)) = changed_type(parser.rest()) {
        return Ok(DumpStatement::Definition(Definition::ChangedType {
            table: table.to_owned(),
            column,
            data_type,
        }));
    }
    if let Some(columns) = not_null_columns(parser.rest()) {
        let table = table.to_owned();
        return Ok(DumpStatement::Definition(Definition::NotNull {
            table,
            columns,
        }));
    }
    if !parser.take(&["alter"]) {
        return Ok(DumpStatement::Unknown);
    }
    parser.take(&["column"]);
    let column = parser.name()?;
    alter_column(table.to_owned(), column, parser)
}

/// The columns of `ALTER COLUMN a SET NOT NULL, ALTER COLUMN b SET NOT NULL`, if there are no other actions.
fn not_null_columns(tokens: &[Token]) -> Option<Vec<String>> {
    let column = |action: &[Token]| {
        let mut parser = Parser::new(action);
        let is_alter = parser.take(&["alter"]);
        parser.take(&["column"]);
        let name = parser.name().ok().filter(|_| is_alter)?;
        (parser.take(&["set", "not", "null"]) && parser.at_end()).then_some(name)
    };
    split_at_commas(tokens).into_iter().map(column).collect()
}

fn alter_column(table: String, column: String, mut parser: Parser<'_>) -> Result<DumpStatement> {
    let definition = if parser.take(&["set", "default"]) {
        Definition::Default {
            default: default_value(parser.rest()),
            table,
            column,
        }
    } else if parser.take(&["drop", "default"]) {
        Definition::NoDefault { table, column }
    } else if parser.take(&["drop", "not", "null"]) {
        Definition::Nullable { table, column }
    } else if parser.take(&["add", "generated"]) {
        parser.until(&["identity"]);
        parser.take(&["identity"]);
        let mut options = Parser::new(parser.parenthesised()?);
        let name = if options.take(&["sequence", "name"]) {
            options.qualified()?
        } else {
            format!("{table}_{column}_seq")
        };
        Definition::Identity {
            sequence: sequence_options(options, name),
            table,
            column,
        }
    } else if ["statistics", "storage", "compression"]
        .iter()
        .any(|what| parser.take(&["set", what]))
        || parser.take(&["set"]) && parser.take_symbol('(')
    {
        return Ok(DumpStatement::WithoutEffect);
    } else {
        return Ok(DumpStatement::Unknown);
    };
    Ok(DumpStatement::Definition(definition))
}
