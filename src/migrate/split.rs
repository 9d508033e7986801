//! Splits a text of SQL into its statements, each as it is written and with its line, and the comments
//! between them. What it takes for one statement is sent to the server as one. The lexical elements, and
//! which words hold a statement open behind a semicolon, are each server's own.

use super::dialect::Piece;
use super::element::{Element, Found};
use crate::error::{Error, Result};

/// What holds the statement open that has begun: blocks of statements in it.
pub(crate) trait Blocks: Default {
    /// Its next keyword or name, and whether it stands in parentheses.
    fn word(&mut self, word: &str, in_parentheses: bool);

    /// Another element of it.
    fn other(&mut self) {}

    /// How many blocks lack their END.
    fn open(&self) -> usize;
}

/// The pieces of the text whose elements `next` gives, in order; a comment within a statement comes before it.
pub(crate) fn split<'a, B: Blocks>(
    text: &'a str,
    mut next: impl FnMut() -> Result<Option<Found<'a>>>,
) -> Result<Vec<Piece<'a>>> {
    let mut pieces = Vec::new();
    let mut open: Option<Open<B>> = None;
    while let Some(found) = next()? {
        match found.element {
            Element::LineComment(text) => pieces.push(Piece::Comment {
                line: found.line,
                text,
                inside: open.is_some(),
            }),
            Element::Comment => {}
            Element::Semicolon if open.as_ref().is_none_or(Open::may_end) => {
                pieces.extend(open.take().map(|open| open.piece(text)));
            }
            element => open
                .get_or_insert_with(|| Open::at(&found))
                .take(element, &found),
        }
    }
    if let Some(open) = open {
        open.check_end()?;
        pieces.push(open.piece(text));
    }
    Ok(pieces)
}

/// A statement that has begun.
struct Open<B> {
    start: usize,
    end: usize,
    line: usize,
    parentheses: usize,
    blocks: B,
}

impl<B: Blocks> Open<B> {
    fn at(found: &Found<'_>) -> Open<B> {
        Open {
            start: found.start,
            end: found.end,
            line: found.line,
            parentheses: 0,
            blocks: B::default(),
        }
    }

    fn take(&mut self, element: Element<'_>, found: &Found<'_>) {
        self.end = found.end;
        match element {
            Element::Word(word) => return self.blocks.word(word, self.parentheses > 0),
            Element::Open => self.parentheses += 1,
            Element::Close => self.parentheses = self.parentheses.saturating_sub(1),
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
