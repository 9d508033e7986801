//! Whose SQL a migration is written in.

use crate::error::Result;
use crate::server::mysql::migrate as mysql;
use crate::server::postgresql::migrate as postgresql;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL's.
    Postgresql,
    /// MySQL's, and MariaDB's.
    Mysql,
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

impl Dialect {
    /// The pieces of `text`, in order; a comment within a statement comes before it.
    pub(crate) fn split(self, text: &str) -> Result<Vec<Piece<'_>>> {
        match self {
            Dialect::Postgresql => postgresql::split(text),
            Dialect::Mysql => mysql::split(text),
        }
    }

    /// An error if `statement` is one that a migration cannot have.
    pub(crate) fn refuse(self, statement: &str) -> Result<()> {
        match self {
            Dialect::Postgresql => postgresql::refuse(statement),
            Dialect::Mysql => mysql::refuse(statement),
        }
    }
}
