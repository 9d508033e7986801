//! Splits the text of SQL into lexical elements, by PostgreSQL's rules (manual, 4.1, "Lexical
//! Structure"), with standard strings. Their values are of no interest, only where they end.

use crate::error::{Error, Result};
use crate::migrate::element::{Element, Found};

/// Goes through a text.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner {
            text,
            at: 0,
            line: 1,
        }
    }

    /// The next element; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Found<'a>>> {
        let blank = self.rest().iter().take_while(|b| is_space(**b)).count();
        self.advance(blank);
        let Some(first) = self.rest().first() else {
            return Ok(None);
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
            b'\'' => (self.string(1, false)?, Element::Quoted),
            b'"' => (self.quoted_name()?, Element::Quoted),
            b'$' => (self.dollar()?, Element::Quoted),
            b'-' if rest.starts_with(b"--") => {
                let length = line_length(rest);
                let text = &self.text[self.at + 2..self.at + length];
                (length, Element::LineComment(text))
            }
            b'/' if rest.starts_with(b"/*") => (self.block_comment()?, Element::Comment),
            b';' => (1, Element::Semicolon),
            b'(' => (1, Element::Open),
            b')' => (1, Element::Close),
            b'\\' => return Err(self.backslash()),
            b'0'..=b'9' => (run(rest, |b| b.is_ascii_digit()), Element::Quoted),
            b'e' | b'E' if rest.get(1) == Some(&b'\'') => (self.string(2, true)?, Element::Quoted),
            _ if begins_name(first) => {
                let length = run(rest, continues_name);
                (length, Element::Word(&self.text[self.at..self.at + length]))
            }
            _ => (1, Element::Other),
        };
        self.advance(length);
        Ok(element)
    }

    /// The length of the string whose content begins `behind` bytes from here. Of one with escapes,
    /// what follows on another line goes on with it, and with its escapes (4.1.2.1).
    fn string(&self, behind: usize, escapes: bool) -> Result<usize> {
        let rest = self.rest();
        let mut at = behind;
        loop {
            at = match rest.get(at) {
                None => return Err(self.open("a string")),
                Some(b'\\') if escapes => at + 2,
                Some(b'\'') if rest.get(at + 1) == Some(&b'\'') => at + 2,
                Some(b'\'') => match continuation(&rest[at + 1..]) {
                    Some(gap) if escapes => at + 1 + gap + 1,
                    _ => return Ok(at + 1),
                },
                Some(_) => at + 1,
            };
        }
    }

    fn quoted_name(&self) -> Result<usize> {
        let rest = self.rest();
        let mut at = 1;
        loop {
            let end = memchr::memchr(b'"', &rest[at..])
                .ok_or_else(|| self.open("a name in double quotes"))?;
            at += end + 1;
            // Two quotes stand for one.
            if rest.get(at) != Some(&b'"') {
                return Ok(at);
            }
            at += 1;
        }
    }

    /// The length of a dollar-quoted text, or of a parameter or a lone dollar.
    fn dollar(&self) -> Result<usize> {
        let rest = self.rest();
        let name = match rest.get(1) {
            Some(first) if begins_name(*first) => {
                run(&rest[1..], |b| continues_name(b) && b != b'$')
            }
            _ => 0,
        };
        if rest.get(1 + name) != Some(&b'$') {
            return Ok(1);
        }
        let tag = &rest[..name + 2];
        let content = &rest[tag.len()..];
        memchr::memmem::find(content, tag)
            .map(|end| end + 2 * tag.len())
            .ok_or_else(|| self.open(&format!("a text in {}", String::from_utf8_lossy(tag))))
    }

    /// The length of a comment, which may hold others.
    fn block_comment(&self) -> Result<usize> {
        let rest = self.rest();
        let (mut at, mut depth) = (0, 0_usize);
        while at < rest.len() {
            if rest[at..].starts_with(b"/*") {
                depth += 1;
                at += 2;
            } else if rest[at..].starts_with(b"*/") {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Ok(at);
                }
            } else {
                at += 1;
            }
        }
        Err(self.open("a comment"))
    }

    fn open(&self, what: &str) -> Error {
        Error::failed(format!("line {}: {what} has no end", self.line))
    }

    fn backslash(&self) -> Error {
        let rest = self.rest();
        let shown = String::from_utf8_lossy(&rest[..line_length(rest).min(40)]);
        Error::failed(format!(
            "line {}: {shown} is no SQL: commands of psql are not known here",
            self.line
        ))
    }
}

/// What may stand in blank space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn continues_name(byte: u8) -> bool {
    begins_name(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|b| belongs(**b)).count()
}

fn line_length(bytes: &[u8]) -> usize {
    memchr::memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len())
}

/// How many bytes stand between a string's quote and that of its continuation, which must be on
/// another line; comments to the end of a line may be between.
fn continuation(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut has_new_line = false;
    loop {
        match bytes.get(at)? {
            b'\'' => return has_new_line.then_some(at),
            b'\n' | b'\r' => (has_new_line, at) = (true, at + 1),
            b'-' if bytes[at..].starts_with(b"--") => at += line_length(&bytes[at..]),
            byte if is_space(*byte) => at += 1,
            _ => return None,
        }
    }
}
