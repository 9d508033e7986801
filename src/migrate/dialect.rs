//! The SQL that a migration is written in.

use super::lexer::{LexicalRules, words};
use crate::error::Result;

/// The SQL of a server, as far as migrations need to know it.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// How its tokens look.
    pub(crate) rules: &'static LexicalRules,
    /// Splits a text into its pieces, in order. A comment within a statement precedes it.
    pub(crate) split: fn(&str) -> Result<Vec<Piece<'_>>>,
    /// Returns an error for a statement that is not allowed in a migration. It takes the statement and its
    /// words in lower case.
    pub(crate) refuse: fn(&str, &[&str]) -> Result<()>,
}

impl Dialect {
    /// Returns an error if `statement` is not allowed in a migration.
    pub(crate) fn check(&self, statement: &str) -> Result<()> {
        let words = words(statement, self.rules);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        (self.refuse)(statement, &words)
    }
}

/// A statement, or a comment between two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// From its first word to the last byte before the semicolon.
    Statement {
        /// The line of its first word, counted from 1.
        line: usize,
        /// The statement.
        text: &'a str,
    },
    /// A `--` comment, without the dashes.
    Comment {
        /// Its line, counted from 1.
        line: usize,
        /// The comment.
        text: &'a str,
        /// Whether it stands in a statement.
        inside: bool,
    },
}
