//! Translates expressions of generated columns, CHECKs and functional indexes, as far as they mean the same in
//! PostgreSQL.
//!
//! A translation of a generated column may be uncertain: then only a comparison with the values of the dump shows
//! whether it is right. MySQL computes with 64 bits or 65 digits, PostgreSQL with the types of the operands: so whole
//! numbers are computed as `numeric`.

mod assigned;
mod fits;
mod functions;
mod json_path;
mod operand;
#[cfg(test)]
mod tests;
mod translator;
mod value;

use sqlparser::ast::Expr;
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use crate::dump::mysql::definition::DataType as DefinedType;
use crate::dump::mysql::lexer::{TokenKind, tokens};
use crate::dump::mysql::sql::identifier;
use crate::schema::model::DataType;
pub(super) use operand::{Operand, Operands};
use translator::Translator;
pub(super) use value::Class;
use value::Purpose;

/// `1 + 1 + 1 + …` is as deep as it is long; a longer expression could overflow the stack.
const MAX_WORDS: usize = 500;

/// A translated expression of a generated column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translation {
    /// The expression in SQL, of a type that PostgreSQL assigns to the column.
    pub(super) sql: String,
    /// Whether the values are certainly the same, if `conditions` are true for all rows.
    pub(super) is_certain: bool,
    /// Conditions in SQL over the columns of the table.
    pub(super) conditions: Vec<String>,
    /// Conditions likewise, that all values fit into the type of the column in MySQL: only a server whose SQL mode is not
    /// strict has other ones.
    pub(super) fit_conditions: Vec<String>,
    /// The columns that it is computed from.
    pub(super) columns: Vec<String>,
}

/// A CHECK `written` in MySQL over `operands`, as one of PostgreSQL.
pub(super) fn translate_check(written: &str, operands: &dyn Operands) -> Option<String> {
    let mut translator = Translator::new(operands, Purpose::Check);
    let value = translator.expression(&parsed(written)?)?;
    value.truth()
}

/// The expression of an index. One that is `unique` must be certain.
pub(super) fn translate_key(
    written: &str,
    operands: &dyn Operands,
    unique: bool,
) -> Option<String> {
    let mut translator = Translator::new(operands, Purpose::Key);
    let value = translator.expression(&parsed(written)?)?;
    let is_certain = translator.is_certain && translator.conditions.is_empty();
    (is_certain || !unique).then_some(value.sql)
}

/// The class of the values of an expression of a generated column.
pub(super) fn class_of(written: &str, operands: &dyn Operands) -> Option<Class> {
    let mut translator = Translator::new(operands, Purpose::Value);
    let value = translator.expression(&parsed(written)?)?;
    Some(value.class)
}

/// The expression of a generated column of this type, which is `defined` in MySQL.
pub(super) fn translate_value(
    written: &str,
    operands: &dyn Operands,
    data_type: &DataType,
    defined: &DefinedType,
) -> Option<Translation> {
    let mut translator = Translator::new(operands, Purpose::Value);
    let value = translator.expression(&parsed(written)?)?;
    translator.fits(&value, defined)?;
    let sql = translator.assigned(value, data_type)?;
    Some(Translation {
        sql,
        is_certain: translator.is_certain,
        conditions: translator.conditions,
        fit_conditions: translator.fit_conditions,
        columns: translator.columns,
    })
}

fn parsed(written: &str) -> Option<Expr> {
    let text = normalised(written)?;
    let mut parser = Parser::new(&MySqlDialect {}).try_with_sql(&text).ok()?;
    let expression = parser.parse_expr().ok()?;
    // A rest that is not understood could mean anything.
    (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then_some(expression)
}

/// The same expression without charset introducers, and with one way to quote.
fn normalised(written: &str) -> Option<String> {
    let mut text = String::new();
    let tokens = tokens(written).ok()?;
    if tokens.len() > MAX_WORDS {
        return None;
    }
    let mut end_of_symbol = None;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let joins = end_of_symbol == Some(token.start);
        end_of_symbol = None;
        match token.kind {
            TokenKind::Word(word) if word.starts_with("_utf8") || word == "_latin1" => continue,
            // MariaDB writes the operator as a word.
            TokenKind::Word(word)
                if word.eq_ignore_ascii_case("mod")
                    && tokens
                        .peek()
                        .is_some_and(|next| next.kind != TokenKind::Symbol('(')) =>
            {
                text.push('%');
            }
            TokenKind::Word(word) | TokenKind::Number(word) => text += &word,
            TokenKind::Identifier(name) => text += &identifier(&name),
            TokenKind::Text(content) => {
                let escaped = content.replace('\\', "\\\\").replace('\'', "''");
                text += &format!("'{escaped}'");
            }
            TokenKind::Symbol(symbol) => {
                // Operators of several characters stay together.
                if joins && matches!(symbol, '=' | '>' | '|' | '&') {
                    text.truncate(text.trim_end().len());
                }
                text.push(symbol);
                let is_operator = matches!(symbol, '<' | '>' | '!' | '|' | '&' | '=' | '-');
                end_of_symbol = is_operator.then_some(token.end);
            }
            TokenKind::DoubleQuoted(_) | TokenKind::Bits(_) | TokenKind::Hex(_) => return None,
        }
        text.push(' ');
    }
    Some(text)
}
