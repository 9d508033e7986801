//! The lexical elements of SQL, as far as statements are told apart by them; what they look like each
//! server says in its own way.

use crate::error::Result;

/// A lexical element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// A keyword or a name without quotes, in MySQL also a number, as it is written.
    Word(&'a str),
    /// A string, a name in quotes, or in PostgreSQL a number.
    Quoted,
    /// The text of a comment to the end of its line, without the dashes.
    LineComment(&'a str),
    /// Any other comment.
    Comment,
    Semicolon,
    Open,
    Close,
    Other,
}

/// An element and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) element: Element<'a>,
    /// Of its first byte.
    pub(crate) start: usize,
    /// Behind its last byte.
    pub(crate) end: usize,
    /// Of its first byte, counted from 1.
    pub(crate) line: usize,
}

/// The words that `next` gives, in lower case, up to the end or to what cannot be read.
pub(crate) fn words<'a>(mut next: impl FnMut() -> Result<Option<Found<'a>>>) -> Vec<String> {
    let mut words = Vec::new();
    while let Ok(Some(found)) = next() {
        if let Element::Word(word) = found.element {
            words.push(word.to_ascii_lowercase());
        }
    }
    words
}
