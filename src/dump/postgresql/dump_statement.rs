//! What the statements of a PostgreSQL dump are for.

use super::definition::Definition;
use super::lexer::Token;
use crate::dump::events::InsertTarget;
use crate::error::Result;

/// What a statement asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DumpStatement {
    /// A definition, or more of one.
    Definition(Definition),
    /// Lines of rows follow.
    Copy(InsertTarget),
    /// Something the import does not take over: its kind and name.
    LeftOut(&'static str, String),
    /// `SET client_encoding`
    Encoding(String),
    /// `SET standard_conforming_strings`: whether backslashes escape in ordinary strings.
    Escapes(bool),
    /// Session settings, owners, grants, drops: of no consequence for the data.
    WithoutEffect,
    /// Anything else; it might change data.
    Unknown,
}

/// So many tokens at the beginning of a statement show what kind it is.
pub(super) const BEGINNING_TOKENS: usize = 16;

/// Reads all tokens of a statement.
pub(super) type AllTokens<'a> = &'a dyn Fn() -> Result<Vec<Token>>;
