//! Reads MySQL's literals (MySQL manual, chapter 11.1): strings, with and without escapes, and hexadecimal digits.

use super::transcoder::{Transcoder, Wrong};
use crate::dump::charset::Multibyte;
use crate::rows::dates;
use crate::rows::escapes::PLAIN_ESCAPES;

impl<'a, N> Transcoder<'a, N> {
    /// The content of a quoted string in which nothing is escaped.
    pub(super) fn quoted_without_escapes(&mut self) -> Result<&'a [u8], Wrong> {
        let start = self.at;
        let quote = self.opening_quote()?;
        let rest = &self.input[self.at..];
        // Most of these strings are a date and time.
        if rest.get(dates::TIMESTAMP) == Some(&quote) && dates::is_plain_timestamp(rest) {
            self.at += dates::TIMESTAMP + 1;
            return Ok(&rest[..dates::TIMESTAMP]);
        }
        match rest
            .iter()
            .position(|byte| *byte == quote || *byte == b'\\')
        {
            Some(end) if rest[end] == quote => {
                self.at += end + 1;
                Ok(&rest[..end])
            }
            _ => {
                self.at = start;
                Err(("cannot read the value".to_owned(), None))
            }
        }
    }

    /// Appends the bytes of a quoted string to `bytes`. MySQL escapes even the bytes of a blob as if they were
    /// characters of the dump's character set.
    pub(super) fn quoted_bytes(&mut self, bytes: &mut Vec<u8>) -> Result<(), Wrong> {
        let multibyte = self.multibyte;
        let start = self.at;
        let quote = self.opening_quote()?;
        // Where nothing is escaped, only the quote is searched.
        let backslash = if self.quoting.backslash_escapes {
            b'\\'
        } else {
            quote
        };
        loop {
            let rest = &self.input[self.at..];
            let plain = if multibyte == Multibyte::None {
                memchr::memchr2(quote, backslash, rest)
            } else {
                find_quote_or_backslash(rest, quote, backslash, multibyte)
            };
            let Some(plain) = plain else {
                return Err(self.unterminated(start));
            };
            bytes.extend_from_slice(&rest[..plain]);
            self.at += plain + 1;
            if rest[plain] != quote && self.at == self.input.len() {
                return Err(self.unterminated(start));
            }
            let next = self.peek();
            if rest[plain] == quote {
                if next != quote {
                    return Ok(());
                }
                bytes.push(quote);
            } else {
                let escape = PLAIN_ESCAPES[usize::from(next)];
                escape.write(bytes);
                if escape.is_nul() {
                    bytes.push(0);
                }
            }
            self.at += 1;
        }
    }

    /// Takes the name of a function and its parenthesis, if they stand here: the name in capitals.
    pub(super) fn call(&mut self) -> Option<String> {
        let rest = &self.input[self.at..];
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let length = rest.iter().take_while(is_part).count();
        let is_call = rest[length..].trim_ascii_start().starts_with(b"(");
        if !is_call {
            return None;
        }
        self.at += length;
        self.skip_blank();
        self.at += 1;
        self.skip_blank();
        Some(String::from_utf8_lossy(&rest[..length]).to_ascii_uppercase())
    }

    /// The digits of `0x…` or `x'…'`, if the value has this notation.
    pub(super) fn hex_digits(&mut self) -> Result<Option<&'a [u8]>, Wrong> {
        let rest = &self.input[self.at..];
        if rest.starts_with(b"0x") {
            let length = rest[2..]
                .iter()
                .take_while(|b| b.is_ascii_hexdigit())
                .count();
            self.at += 2 + length;
            return Ok(Some(&rest[2..2 + length]));
        }
        if rest.starts_with(b"x'") || rest.starts_with(b"X'") {
            self.at += 1;
            let digits = self.quoted_without_escapes()?;
            if digits.iter().all(u8::is_ascii_hexdigit) {
                return Ok(Some(digits));
            }
            return Err(("expected hexadecimal digits".to_owned(), None));
        }
        Ok(None)
    }

    pub(super) fn opening_quote(&mut self) -> Result<u8, Wrong> {
        let quote = self.peek();
        let is_text = quote == b'\'' || quote == b'"' && !self.quoting.ansi_quotes;
        if !is_text {
            return Err(("expected a string".to_owned(), None));
        }
        self.at += 1;
        Ok(quote)
    }

    /// Whether NULL stands here, in any case.
    #[cold]
    pub(super) fn is_null(&self) -> bool {
        let word = self.input.get(self.at..self.at + 4);
        word.is_some_and(|word| word.eq_ignore_ascii_case(b"null"))
    }

    /// Skips `_binary` or another character set before a string; returns its name. `N'…'` is in utf8.
    pub(super) fn skip_introducer(&mut self) -> Option<&'a [u8]> {
        if matches!(self.peek(), b'N' | b'n') && self.input.get(self.at + 1) == Some(&b'\'') {
            self.at += 1;
            return Some(b"utf8");
        }
        if self.peek() != b'_' {
            return None;
        }
        let is_part = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
        let rest = &self.input[self.at..];
        let length = rest.iter().take_while(is_part).count();
        self.at += length;
        self.skip_blank();
        Some(&rest[1..length])
    }

    pub(super) fn unterminated(&mut self, start: usize) -> Wrong {
        self.at = start;
        ("a string has no end".to_owned(), None)
    }

    /// Skips a value of any kind, up to the comma or parenthesis behind it.
    pub(super) fn skip_value(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        let mut depth = 0;
        loop {
            match self.input.get(self.at) {
                None => return Err(self.unterminated(start)),
                Some(b'\'' | b'"') => {
                    self.quoted_bytes(&mut Vec::new())?;
                    continue;
                }
                Some(b'(') => depth += 1,
                Some(b',' | b')') if depth == 0 => return Ok(()),
                Some(b')') => depth -= 1,
                Some(_) => {}
            }
            self.at += 1;
        }
    }
}

/// The first quote or backslash that is not a part of a character of two bytes.
fn find_quote_or_backslash(
    bytes: &[u8],
    quote: u8,
    backslash: u8,
    multibyte: Multibyte,
) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == quote || *byte == backslash {
            return Some(at);
        }
        let pair = multibyte.is_lead(*byte)
            && bytes
                .get(at + 1)
                .is_some_and(|next| multibyte.is_trail(*next));
        at += 1 + usize::from(pair);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_may_be_half_a_character() {
        // 表 in Shift JIS is 0x95 0x5c, 縞 in Big5 is 0xbf 0xa5; 0x95 alone is no character.
        assert_eq!(
            find_quote_or_backslash(b"\x95\\'", b'\'', b'\\', Multibyte::ShiftJis),
            Some(2)
        );
        assert_eq!(
            find_quote_or_backslash(b"\x95'", b'\'', b'\\', Multibyte::ShiftJis),
            Some(1)
        );
        assert_eq!(
            find_quote_or_backslash(b"\xb3\\\\'", b'\'', b'\\', Multibyte::Big5),
            Some(2)
        );
        assert_eq!(
            find_quote_or_backslash(b"\x81\\\x81\x30'", b'\'', b'\\', Multibyte::Gbk),
            Some(4)
        );
    }
}
