//! Splits a text of SQL into its statements, each as written and with its line, and the comments between
//! them. Each piece is sent to the server as one statement. What keeps a statement open after a semicolon
//! differs between servers ([`Blocks`]).

use super::dialect::Piece;
use super::lexer::{Lexer, LexicalRules};
use super::token::{Token, TokenKind};
use crate::error::{Error, Result};

/// Counts the blocks of statements in the current statement.
pub(crate) trait Blocks: Default {
    /// Takes the next word, and whether it stands in parentheses.
    fn word(&mut self, word: &str, in_parentheses: bool);

    /// Takes any other token.
    fn other(&mut self) {}

    /// How many blocks lack their END.
    fn open(&self) -> usize;
}

/// The pieces of `text` in order. A comment within a statement precedes it.
pub(crate) fn split<'a, B: Blocks>(
    text: &'a str,
    rules: &'static LexicalRules,
) -> Result<Vec<Piece<'a>>> {
    let mut pieces = Vec::new();
    let mut open: Option<Open<B>> = None;
    for token in Lexer::new(text, rules) {
        let token = token?;
        match token.kind {
            TokenKind::LineComment(text) => pieces.push(Piece::Comment {
                line: token.line,
                text,
                inside: open.is_some(),
            }),
            TokenKind::Comment => {}
            TokenKind::Semicolon if open.as_ref().is_none_or(Open::may_end) => {
                pieces.extend(open.take().map(|open| open.piece(text)));
            }
            _ => open.get_or_insert_with(|| Open::at(&token)).take(&token),
        }
    }
    if let Some(open) = open {
        open.check_end()?;
        pieces.push(open.piece(text));
    }
    Ok(pieces)
}

/// A statement whose end is still to come.
struct Open<B> {
    start: usize,
    end: usize,
    line: usize,
    parentheses: usize,
    blocks: B,
}

impl<B: Blocks> Open<B> {
    fn at(token: &Token<'_>) -> Open<B> {
        Open {
            start: token.start,
            end: token.end,
            line: token.line,
            parentheses: 0,
            blocks: B::default(),
        }
    }

    fn take(&mut self, token: &Token<'_>) {
        self.end = token.end;
        match token.kind {
            TokenKind::Word(word) => return self.blocks.word(word, self.parentheses > 0),
            TokenKind::Open => self.parentheses += 1,
            TokenKind::Close => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        self.blocks.other();
    }

    fn may_end(&self) -> bool {
        self.parentheses == 0 && self.blocks.open() == 0
    }

    fn check_end(&self) -> Result<()> {
        let missing = match (self.parentheses, self.blocks.open()) {
            (0, 0) => return Ok(()),
            (0, _) => "END",
            _ => "closing parenthesis",
        };
        let line = self.line;
        Err(Error::failed(format!(
            "line {line}: the statement that begins here lacks a {missing}"
        )))
    }

    fn piece<'a>(&self, text: &'a str) -> Piece<'a> {
        Piece::Statement {
            line: self.line,
            text: &text[self.start..self.end],
        }
    }
}
