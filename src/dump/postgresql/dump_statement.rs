//! The classes of statements in a PostgreSQL dump.

use super::definition::{Definition, SetColumns, Trigger};
use super::lexer::Token;
use crate::dump::events::InsertTarget;
use crate::error::Result;

/// What a statement is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DumpStatement {
    /// A definition, or an addition to one.
    Definition(Definition),
    /// COPY: lines of rows follow.
    Copy(InsertTarget),
    /// A function that sets columns to the current time, and nothing else.
    SettingFunction(String, SetColumns),
    /// A trigger that may call such a function.
    Trigger(Trigger),
    /// Something that is not imported: its kind and name.
    LeftOut(&'static str, String),
    /// `SET client_encoding`
    Encoding(String),
    /// `SET standard_conforming_strings`: whether backslashes escape in ordinary strings.
    Escapes(bool),
    /// Session settings, owners, grants, drops: no effect on the data.
    WithoutEffect,
    /// Anything else; it might change data.
    Unknown,
}

/// So many tokens at the beginning of a statement show its class.
pub(super) const BEGINNING_TOKENS: usize = 16;

/// Reads all tokens of a statement.
pub(super) type AllTokens<'a> = &'a dyn Fn() -> Result<Vec<Token>>;
