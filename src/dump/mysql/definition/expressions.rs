//! Defaults, generated columns and CHECKs. Their expressions are kept as they are written.

use super::cursor::DefinitionParser;
use super::model::{ColumnDefinition, DefaultValue, Generated, LeftOut, TableDefinition};
use crate::dump::mysql::lexer::{Token, TokenKind};
use crate::error::Result;
use crate::error::codes::Code;

impl DefinitionParser<'_> {
    /// Reads a CHECK, behind this keyword. A CHECK that the server does not enforce is left out.
    pub(super) fn check(
        &mut self,
        name: Option<String>,
        table: &mut TableDefinition,
    ) -> Result<()> {
        let expression = self.parenthesised()?;
        if self.is("NOT") && self.is_word_at(1, "ENFORCED") {
            self.skip_words(&["NOT", "ENFORCED"]);
            let what = format!("CHECK ({expression}) was left out: it was not enforced");
            table
                .left_out
                .push(LeftOut::new(Code::CheckLeftOut, name, what));
            return Ok(());
        }
        self.eat("ENFORCED");
        table.checks.push((name, expression));
        Ok(())
    }

    pub(super) fn generated(&mut self, column: &mut ColumnDefinition) -> Result<()> {
        self.expect("AS")?;
        if self.eat("ROW") {
            // The validity of a row in a system-versioned table: the dump has the values.
            let end = if self.eat("START") {
                "START"
            } else {
                self.eat("END");
                "END"
            };
            self.is_stored(Some(&column.name), format!("AS ROW {end}"));
            return Ok(());
        }
        let expression = self.parenthesised()?;
        let stored = self.eat("STORED") || self.eat("PERSISTENT");
        if !stored {
            self.eat("VIRTUAL");
        }
        column.generated = Some(Generated { expression, stored });
        Ok(())
    }

    pub(super) fn default_value(&mut self) -> Result<DefaultValue> {
        let start = self.at;
        let sign = if self.eat_symbol('-') { "-" } else { "" };
        self.eat_symbol('+');
        let token = self.next()?;
        Ok(match token.kind {
            TokenKind::Number(number) => DefaultValue::Number(format!("{sign}{number}")),
            TokenKind::Text(text) | TokenKind::DoubleQuoted(text) => {
                DefaultValue::Text(self.adjacent_texts(text))
            }
            TokenKind::Bits(digits) => DefaultValue::Bits(digits),
            TokenKind::Hex(digits) => DefaultValue::Hex(digits),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("NULL") => DefaultValue::Null,
            TokenKind::Word(word) if word.eq_ignore_ascii_case("TRUE") => {
                DefaultValue::Number("1".to_owned())
            }
            TokenKind::Word(word) if word.eq_ignore_ascii_case("FALSE") => {
                DefaultValue::Number("0".to_owned())
            }
            TokenKind::Word(word) if word.eq_ignore_ascii_case("N") && self.is_text() => {
                DefaultValue::Text(self.text_literal()?)
            }
            // A charset introducer: `_utf8mb3'x'`, `_latin1 0x92`.
            TokenKind::Word(word) if word.starts_with('_') && self.is_hex() => {
                match self.next()?.kind {
                    TokenKind::Hex(digits) => DefaultValue::Hex(digits),
                    _ => return Err(self.unexpected_before()),
                }
            }
            TokenKind::Word(word) if word.starts_with('_') && !self.is_symbol('(') => {
                DefaultValue::Text(self.text_literal()?)
            }
            _ => {
                self.at = start;
                DefaultValue::Expression(self.expression()?)
            }
        })
    }

    /// A column, a word with arguments if it has any, or something in parentheses, as it is written.
    pub(super) fn expression(&mut self) -> Result<String> {
        let start = self.peek().map_or(self.text.len(), |token| token.start);
        self.eat_symbol('-');
        if self.is("NEXT") && self.is_word_at(1, "VALUE") {
            self.skip_words(&["NEXT", "VALUE", "FOR"]);
            self.qualified_name()?;
        } else if !self.is_symbol('(') {
            // A variable: `@a := 1`, `@@version`.
            while self.eat_symbol('@') {}
            self.qualified_name()?;
        }
        if self.is_symbol('(') {
            self.parenthesised()?;
        }
        // An operator and its operand, of which MariaDB's need no parentheses: `@a := 1`, `a + b`.
        let is_operator = |token: &Token| matches!(token.kind, TokenKind::Symbol(symbol) if !matches!(symbol, ',' | ')' | ';'));
        while self.peek().is_some_and(is_operator) {
            if self.is_symbol('(') {
                self.parenthesised()?;
                continue;
            }
            self.at += 1;
            if !self.peek().is_some_and(is_operator) {
                self.next()?;
            }
        }
        Ok(self.written(start, self.end_of_last()))
    }
}
