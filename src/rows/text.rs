//! Texts: MySQL's escapes out, COPY's escapes in, and into UTF-8 where they are not.

use std::borrow::Cow;

use super::bytes::unhex;
use super::transcode::{PlannedColumn, Transcoder, Wrong};
use super::{Change, InvalidUtf8, Nul};
use crate::charset::{Charset, Multibyte};

const INVALID_HINT: &str = "--invalid-utf8 replace or latin1 takes it";
const NUL_HINT: &str = "--nul strip or replace takes it";

impl Transcoder<'_> {
    /// A text in UTF-8: what needs no work is copied as it stands.
    pub(super) fn text(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        if !matches!(self.peek(), b'\'' | b'"') {
            // With an introducer or in hexadecimal.
            return self.encoded_text(column, Charset::Utf8);
        }
        let start = self.at;
        let before = self.out.len();
        let quote = self.opening_quote()?;
        let mut nuls = 0;
        loop {
            let rest = &self.input[self.at..];
            let plain = plain_run(rest);
            self.out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match rest.get(plain) {
                None => return Err(self.unterminated(start)),
                Some(b'\\') => nuls += u64::from(self.escape(start)?),
                Some(byte) if *byte == quote => {
                    self.at += 1;
                    if self.peek() != quote {
                        break;
                    }
                    self.out.push(quote);
                    self.at += 1;
                }
                Some(0) => {
                    nuls += 1;
                    self.nul();
                    self.at += 1;
                }
                Some(byte) => {
                    copy_byte(*byte, self.out);
                    self.at += 1;
                }
            }
        }
        if !self.valid_utf8 && std::str::from_utf8(&self.input[start..self.at]).is_err() {
            // Once more, slowly; it ends at the same place.
            self.out.truncate(before);
            self.at = start;
            return self.encoded_text(column, Charset::Utf8);
        }
        self.count_nuls(column, start, nuls)
    }

    /// Takes a backslash and what it escapes; whether that was NUL.
    fn escape(&mut self, start: usize) -> Result<bool, Wrong> {
        let Some(&escaped) = self.input.get(self.at + 1) else {
            return Err(self.unterminated(start));
        };
        self.at += 2;
        match escaped {
            b'\\' | b'n' | b'r' | b't' | b'b' => self.out.extend_from_slice(&[b'\\', escaped]),
            b'Z' => self.out.push(0x1a),
            b'%' | b'_' => self.out.extend_from_slice(&[b'\\', b'\\', escaped]),
            b'0' | 0 => {
                self.nul();
                return Ok(true);
            }
            other => copy_byte(other, self.out),
        }
        Ok(false)
    }

    fn nul(&mut self) {
        if self.policies.nul == Nul::Replace {
            self.out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }

    fn count_nuls(&mut self, column: &PlannedColumn, start: usize, nuls: u64) -> Result<(), Wrong> {
        if nuls == 0 {
            return Ok(());
        }
        match self.policies.nul {
            Nul::Strip => self.count(column, Change::NulStripped),
            Nul::Replace => self.count(column, Change::NulReplaced),
            Nul::Error => {
                self.at = start;
                let message = "the text has a NUL character, which PostgreSQL cannot hold";
                return Err((message.to_owned(), Some(NUL_HINT)));
            }
        }
        Ok(())
    }

    /// A text in any character set, in any notation: unescaped to its bytes, decoded, written.
    pub(super) fn encoded_text(
        &mut self,
        column: &PlannedColumn,
        charset: Charset,
    ) -> Result<(), Wrong> {
        let start = self.at;
        self.skip_introducer();
        let mut bytes = Vec::new();
        if let Some(hex) = self.hex_digits()? {
            unhex(hex, &mut bytes);
        } else {
            self.quoted_bytes(&mut bytes)?;
        }
        let text = self.decode(column, charset, &bytes, start)?;
        let mut nuls = 0;
        for byte in text.bytes() {
            if byte == 0 {
                nuls += 1;
                self.nul();
            } else {
                copy_byte(byte, self.out);
            }
        }
        self.count_nuls(column, start, nuls)
    }

    fn decode<'t>(
        &mut self,
        column: &PlannedColumn,
        charset: Charset,
        bytes: &'t [u8],
        start: usize,
    ) -> Result<Cow<'t, str>, Wrong> {
        let (valid, name) = match charset {
            Charset::Utf8 | Charset::Binary => {
                (std::str::from_utf8(bytes).ok().map(Cow::Borrowed), "UTF-8")
            }
            Charset::Other(foreign) => (foreign.decode(bytes), foreign.name()),
        };
        if let Some(text) = valid {
            return Ok(text);
        }
        match self.policies.invalid_utf8 {
            InvalidUtf8::Error => {
                let place = match std::str::from_utf8(bytes) {
                    Err(error) if charset == Charset::Utf8 => {
                        let at = error.valid_up_to();
                        format!("the byte 0x{:02x} at byte {at} of the text", bytes[at])
                    }
                    _ => "the text".to_owned(),
                };
                self.at = start;
                Err((format!("{place} is not valid {name}"), Some(INVALID_HINT)))
            }
            InvalidUtf8::Replace => {
                self.count(column, Change::InvalidReplaced);
                Ok(match charset {
                    Charset::Utf8 | Charset::Binary => String::from_utf8_lossy(bytes),
                    Charset::Other(foreign) => foreign.decode_lossy(bytes),
                })
            }
            InvalidUtf8::Latin1 => {
                self.count(column, Change::InvalidAsLatin1);
                Ok(encoding_rs::WINDOWS_1252
                    .decode_without_bom_handling(bytes)
                    .0)
            }
        }
    }

    /// Appends the bytes of a quoted string to `bytes`. Even those of a blob are escaped as if they were
    /// characters of the dump's character set.
    pub(super) fn quoted_bytes(&mut self, bytes: &mut Vec<u8>) -> Result<(), Wrong> {
        let multibyte = self.multibyte;
        let start = self.at;
        let quote = self.opening_quote()?;
        loop {
            let rest = &self.input[self.at..];
            let plain = if multibyte == Multibyte::None {
                memchr::memchr2(quote, b'\\', rest)
            } else {
                find_special(rest, quote, multibyte)
            };
            let Some(plain) = plain else {
                return Err(self.unterminated(start));
            };
            bytes.extend_from_slice(&rest[..plain]);
            self.at += plain + 1;
            if rest[plain] == b'\\' && self.at == self.input.len() {
                return Err(self.unterminated(start));
            }
            let next = self.peek();
            if rest[plain] == quote {
                if next != quote {
                    return Ok(());
                }
                bytes.push(quote);
            } else {
                match next {
                    b'0' => bytes.push(0),
                    b'n' => bytes.push(b'\n'),
                    b'r' => bytes.push(b'\r'),
                    b't' => bytes.push(b'\t'),
                    b'b' => bytes.push(8),
                    b'Z' => bytes.push(0x1a),
                    b'%' | b'_' => bytes.extend_from_slice(&[b'\\', next]),
                    other => bytes.push(other),
                }
            }
            self.at += 1;
        }
    }

    pub(super) fn unterminated(&mut self, start: usize) -> Wrong {
        self.at = start;
        ("a string has no end".to_owned(), None)
    }
}

/// The first quote or backslash that is no part of a character of two bytes.
fn find_special(bytes: &[u8], quote: u8, multibyte: Multibyte) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == quote || *byte == b'\\' {
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

/// How many bytes from the start of `bytes` are neither quotes, backslashes nor control
/// characters, so that they are the same in a MySQL string and in COPY.
fn plain_run(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let mut at = 0;
    // Without an early exit inside the block this compiles to a few vector instructions.
    for block in bytes.chunks_exact(BLOCK) {
        if block
            .iter()
            .fold(false, |found, byte| found | is_special(*byte))
        {
            break;
        }
        at += BLOCK;
    }
    let rest = &bytes[at..];
    at + rest
        .iter()
        .position(|byte| is_special(*byte))
        .unwrap_or(rest.len())
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'\'' || byte == b'"' || byte == b'\\'
}

/// Appends one byte of a text, not NUL, as COPY wants it.
fn copy_byte(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_runs_stop_at_each_special_byte() {
        for special in [b'\'', b'"', b'\\', b'\n', b'\t', 0] {
            for before in 0..40 {
                let mut bytes = vec![b'x'; 50];
                bytes[before] = special;
                assert_eq!(plain_run(&bytes), before);
            }
        }
        assert_eq!(plain_run(&[0xe9; 33]), 33);
    }

    #[test]
    fn a_backslash_may_be_half_a_character() {
        // 表 in Shift JIS is 0x95 0x5c, 縞 in Big5 is 0xbf 0xa5; 0x95 alone is no character.
        assert_eq!(
            find_special(b"\x95\\'", b'\'', Multibyte::ShiftJis),
            Some(2)
        );
        assert_eq!(find_special(b"\x95'", b'\'', Multibyte::ShiftJis), Some(1));
        assert_eq!(find_special(b"\xb3\\\\'", b'\'', Multibyte::Big5), Some(2));
        assert_eq!(
            find_special(b"\x81\\\x81\x30'", b'\'', Multibyte::Gbk),
            Some(4)
        );
    }
}
