//! The tokens of SQL, as far as they matter for the ends of statements.

/// What a token is. Its value does not matter, except for words and comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind<'a> {
    /// A keyword or an unquoted name, as written. It includes numbers where words may begin with a digit.
    Word(&'a str),
    /// A string, a quoted name, or a number where words cannot begin with a digit.
    Quoted,
    /// The text of a `--` comment, without the dashes.
    LineComment(&'a str),
    /// Any other comment.
    Comment,
    Semicolon,
    Open,
    Close,
    Other,
}

/// A token and its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind<'a>,
    /// The offset of its first byte.
    pub(crate) start: usize,
    /// The offset after its last byte.
    pub(crate) end: usize,
    /// The line of its first byte, counted from 1.
    pub(crate) line: usize,
}
