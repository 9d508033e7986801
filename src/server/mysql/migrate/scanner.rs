//! Splits the text of SQL into lexical elements, by MySQL's rules (manual, 11 "Language Structure"), with
//! backslashes that escape. Their values are of no interest, only where they end.

use crate::error::{Error, Result};
use crate::migrate::element::{Element, Found};

/// Goes through a text.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    /// In a comment whose content servers execute, `/*! … */`, and the line where that begins.
    executed: Option<usize>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner {
            text,
            at: 0,
            line: 1,
            executed: None,
        }
    }

    /// The next element; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Found<'a>>> {
        let blank = run(self.rest(), is_space);
        self.advance(blank);
        let Some(first) = self.rest().first() else {
            return match self.executed {
                Some(line) => Err(open(line, "a comment")),
                None => Ok(None),
            };
        };
        let (start, line) = (self.at, self.line);
        let element = self.element(*first)?;
        Ok(Some(Found {
            element,
            start,
            end: self.at,
            line,
        }))
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn advance(&mut self, count: usize) {
        let passed = &self.rest()[..count];
        self.line += memchr::memchr_iter(b'\n', passed).count();
        self.at += count;
    }

    fn element(&mut self, first: u8) -> Result<Element<'a>> {
        let rest = self.rest();
        let (length, element) = match first {
            b'\'' => (self.string(b'\'')?, Element::Quoted),
            b'"' => (self.string(b'"')?, Element::Quoted),
            b'`' => (self.quoted_name()?, Element::Quoted),
            b'-' if begins_comment(rest) => {
                let length = line_length(rest);
                let text = &self.text[self.at + 2..self.at + length];
                (length, Element::LineComment(text))
            }
            b'-' if rest.starts_with(b"--migrate:") => return Err(self.no_blank()),
            b'#' => (line_length(rest), Element::Comment),
            b'/' if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") => {
                self.executed.get_or_insert(self.line);
                let mark = if rest[2] == b'!' { 3 } else { 4 };
                let version = run(&rest[mark..], |b| b.is_ascii_digit());
                (mark + version, Element::Other)
            }
            b'/' if rest.starts_with(b"/*") => (self.comment()?, Element::Comment),
            b'*' if self.executed.is_some() && rest.starts_with(b"*/") => {
                self.executed = None;
                (2, Element::Other)
            }
            // What is executed ends with its comment.
            b';' if self.executed.is_some() => (1, Element::Other),
            b';' => (1, Element::Semicolon),
            b'(' => (1, Element::Open),
            b')' => (1, Element::Close),
            b'\\' => return Err(self.backslash()),
            _ if belongs_to_name(first) => {
                let length = run(rest, belongs_to_name);
                (length, Element::Word(&self.text[self.at..self.at + length]))
            }
            _ => (1, Element::Other),
        };
        self.advance(length);
        Ok(element)
    }

    /// The length of the string in `quote`s that begins here.
    fn string(&self, quote: u8) -> Result<usize> {
        let rest = self.rest();
        let mut at = 1;
        loop {
            at = match rest.get(at) {
                None => return Err(open(self.line, "a string")),
                Some(b'\\') => at + 2,
                // Two quotes stand for one: taken for two strings in a row, they end at the same place.
                Some(byte) if *byte == quote => return Ok(at + 1),
                Some(_) => at + 1,
            };
        }
    }

    fn quoted_name(&self) -> Result<usize> {
        let rest = self.rest();
        let mut at = 1;
        loop {
            let end = memchr::memchr(b'`', &rest[at..])
                .ok_or_else(|| open(self.line, "a name in backticks"))?;
            at += end + 1;
            // Two quotes stand for one.
            if rest.get(at) != Some(&b'`') {
                return Ok(at);
            }
            at += 1;
        }
    }

    /// The length of a comment, which holds no others.
    fn comment(&self) -> Result<usize> {
        let end = memchr::memmem::find(&self.rest()[2..], b"*/");
        end.map(|end| end + 4)
            .ok_or_else(|| open(self.line, "a comment"))
    }

    fn no_blank(&self) -> Error {
        Error::failed(format!(
            "line {}: in MySQL a comment has a blank behind its dashes",
            self.line
        ))
        .hint("write -- migrate:")
    }

    fn backslash(&self) -> Error {
        let rest = self.rest();
        let shown = String::from_utf8_lossy(&rest[..line_length(rest).min(40)]);
        Error::failed(format!(
            "line {}: {shown} is no SQL: commands of the client mysql are not known here",
            self.line
        ))
    }
}

fn open(line: usize, what: &str) -> Error {
    Error::failed(format!("line {line}: {what} has no end"))
}

/// Two dashes are a comment where a blank or a control character follows, or nothing.
fn begins_comment(bytes: &[u8]) -> bool {
    bytes.starts_with(b"--") && bytes.get(2).is_none_or(|b| *b <= b' ' || *b == 0x7f)
}

/// What may stand in blank space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn belongs_to_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|b| belongs(**b)).count()
}

fn line_length(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())
}
