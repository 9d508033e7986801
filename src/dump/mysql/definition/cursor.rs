//! Goes through the tokens of a definition.

use super::model::StorageOption;
use crate::dump::bounds::refused_definition;
use crate::dump::mysql::lexer::{Token, TokenKind};
use crate::dump::quoting::Quoting;
use crate::error::{Error, Result};

/// A value of an enum or a set that is written as bytes.
#[derive(Debug)]
pub(super) struct RawValue {
    /// Which column, and which of its values.
    pub(super) column: usize,
    pub(super) value: usize,
    /// The character set before it.
    pub(super) introducer: Option<String>,
    pub(super) bytes: Vec<u8>,
}

/// A position in the tokens of a definition. Each of the other files of this module reads a part of the grammar.
pub(super) struct DefinitionParser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) at: usize,
    /// For errors: `table t` or `column t.a`.
    pub(super) place: String,
    /// The storage options so far.
    pub(super) storage: Vec<StorageOption>,
    /// The values of enums and sets that are not written as texts.
    pub(super) raw_values: Vec<RawValue>,
    pub(super) quoting: Quoting,
}

impl<'a> DefinitionParser<'a> {
    /// A parser of `text`, whose tokens are `tokens`.
    pub(super) fn new(
        text: &'a str,
        tokens: &'a [Token],
        quoting: Quoting,
    ) -> DefinitionParser<'a> {
        DefinitionParser {
            text,
            tokens,
            at: 0,
            place: String::new(),
            storage: Vec::new(),
            raw_values: Vec::new(),
            quoting,
        }
    }
}

impl DefinitionParser<'_> {
    pub(super) fn names(&mut self) -> Result<Vec<String>> {
        self.symbol('(')?;
        let mut names = Vec::new();
        while !self.eat_symbol(')') {
            names.push(self.name()?);
            self.eat_symbol(',');
        }
        Ok(names)
    }

    /// A name, without the database before the dot.
    pub(super) fn qualified_name(&mut self) -> Result<String> {
        let name = self.name()?;
        if self.eat_symbol('.') {
            return self.name();
        }
        Ok(name)
    }

    pub(super) fn name(&mut self) -> Result<String> {
        match self.next()?.kind {
            TokenKind::Word(name) | TokenKind::Identifier(name) | TokenKind::DoubleQuoted(name) => {
                Ok(name)
            }
            _ => Err(self.unexpected_before()),
        }
    }

    pub(super) fn word(&mut self) -> Result<String> {
        match self.next()?.kind {
            TokenKind::Word(word) => Ok(word),
            _ => Err(self.unexpected_before()),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        match self.next()?.kind {
            TokenKind::Number(number) => number.parse().map_err(|_| self.unexpected_before()),
            _ => Err(self.unexpected_before()),
        }
    }

    pub(super) fn text_literal(&mut self) -> Result<String> {
        match self.next()?.kind {
            TokenKind::Text(text) | TokenKind::DoubleQuoted(text) => Ok(self.adjacent_texts(text)),
            _ => Err(self.unexpected_before()),
        }
    }

    /// `first` and the texts behind it: adjacent texts are one (MySQL manual, 11.1.1).
    pub(super) fn adjacent_texts(&mut self, first: String) -> String {
        let mut all = first;
        while let Some(TokenKind::Text(text) | TokenKind::DoubleQuoted(text)) =
            self.peek().map(|token| &token.kind)
        {
            all += text;
            self.at += 1;
        }
        all
    }

    /// The value of an option, with or without `=` before it.
    pub(super) fn option_value(&mut self) -> Result<String> {
        self.eat_symbol('=');
        match self.next()?.kind {
            TokenKind::Word(value)
            | TokenKind::Text(value)
            | TokenKind::Number(value)
            | TokenKind::Identifier(value)
            | TokenKind::DoubleQuoted(value) => Ok(value),
            _ => Err(self.unexpected_before()),
        }
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn next(&mut self) -> Result<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token.ok_or_else(|| self.error("the statement ends too early"))
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.is_word_at(0, word)
    }

    pub(super) fn is_word_at(&self, ahead: usize, word: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead),
            Some(Token { kind: TokenKind::Word(found), .. }) if found.eq_ignore_ascii_case(word))
    }

    pub(super) fn is_symbol(&self, symbol: char) -> bool {
        self.is_symbol_at(0, symbol)
    }

    pub(super) fn is_symbol_at(&self, ahead: usize, symbol: char) -> bool {
        matches!(self.tokens.get(self.at + ahead),
            Some(Token { kind: TokenKind::Symbol(found), .. }) if *found == symbol)
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn eat_symbol(&mut self, symbol: char) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, word: &str) -> Result<()> {
        if self.eat(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn symbol(&mut self, symbol: char) -> Result<()> {
        if self.eat_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn skip_words(&mut self, words: &[&str]) {
        while words.iter().any(|word| self.eat(word)) {}
    }

    pub(super) fn skip_element(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(',') if depth == 0 => return,
                TokenKind::Symbol(')') if depth == 0 => return,
                TokenKind::Symbol(')') => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether a column, key or constraint ends before this token.
    pub(super) fn ends_element(&self) -> bool {
        self.is_symbol(',') || self.is_symbol(')') || self.peek().is_none()
    }

    /// Where the token before this one ends.
    pub(super) fn end_of_last(&self) -> usize {
        self.at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or(0, |token| token.end)
    }

    pub(super) fn unexpected_before(&mut self) -> Error {
        self.at = self.at.saturating_sub(1);
        self.unexpected()
    }

    pub(super) fn unexpected(&self) -> Error {
        match self.peek() {
            Some(token) => {
                let rest = &self.text[token.start..];
                let tell = |shown: &str| format!("cannot read the definition from \"{shown}\" on");
                self.placed(refused_definition(rest, tell))
            }
            None => self.error("the statement ends too early"),
        }
    }

    pub(super) fn error(&self, what: &str) -> Error {
        self.placed(Error::failed(what))
    }

    pub(super) fn placed(&self, error: Error) -> Error {
        if self.place.is_empty() {
            error
        } else {
            error.at(&self.place)
        }
    }

    /// The text between the parenthesis that must be here and the matching one.
    pub(super) fn parenthesised(&mut self) -> Result<String> {
        self.symbol('(')?;
        let start = self.end_of_last();
        let mut depth = 1;
        while depth > 0 {
            match self.next()?.kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(')') => depth -= 1,
                _ => {}
            }
        }
        let end = self.tokens[self.at - 1].start;
        Ok(self.written(start, end))
    }
}
