//! Whose SQL a migration is written in.

use crate::error::Result;

/// The lexical rules of a server, and what it must not be asked. Each server has one.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The pieces of a text, in order; a comment within a statement comes before it.
    pub(crate) split: fn(&str) -> Result<Vec<Piece<'_>>>,
    /// An error if a statement is one that a migration cannot have.
    pub(crate) refuse: fn(&str) -> Result<()>,
}

/// A statement, or a comment between two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// From its first word to the last byte before the semicolon.
    Statement {
        /// Of its first word, counted from 1.
        line: usize,
        /// The statement.
        text: &'a str,
    },
    /// A comment to the end of its line, without the dashes.
    Comment {
        /// Its line, counted from 1.
        line: usize,
        /// The comment.
        text: &'a str,
        /// Whether it stands in a statement, which has begun before.
        inside: bool,
    },
}
