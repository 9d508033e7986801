//! Texts: replaces MySQL's escapes with COPY's, and converts to UTF-8.

use std::borrow::Cow;

use super::escape_search::{BLOCK, EscapeSearch};
use super::transcoder::{Transcoder, Wrong};
use crate::dump::charset::Charset;
use crate::rows::hex::unhex;
use crate::rows::notation::{NotA, Notation};
use crate::rows::plan::PlannedColumn;
use crate::rows::tally::Change;
use crate::rows::value_policies::{InvalidUtf8, Nul};

const INVALID_HINT: &str =
    "--invalid-utf8 replace or latin1 takes it; inspect --suggest names all columns";
const NUL_HINT: &str = "--nul strip or replace takes it";

impl<N: Notation> Transcoder<'_, N> {
    /// A text in UTF-8: bytes without escapes are copied in blocks.
    pub(super) fn text(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        if !matches!(self.peek(), b'\'' | b'"') {
            // It has an introducer or is in hexadecimal.
            return self.encoded_text(column, Charset::Utf8);
        }
        let start = self.at;
        let before = self.out.len();
        let quote = self.opening_quote()?;
        let mut search = EscapeSearch::new(quote, N::ESCAPES_LINES);
        if !self.quoting.backslash_escapes {
            search = search.without_escapes();
        }
        let begun = N::begin_text(self.out, column.storage);
        let mut nuls = 0;
        loop {
            self.copy_plain(search);
            match self.input.get(self.at) {
                None => return Err(self.unterminated(start)),
                Some(b'\\') if self.quoting.backslash_escapes => {
                    nuls += u64::from(self.escape(start)?);
                }
                Some(byte) if *byte == quote => {
                    self.at += 1;
                    if self.peek() != quote {
                        break;
                    }
                    self.out.push(quote);
                    self.at += 1;
                }
                Some(0) if !N::HOLDS_NUL => {
                    nuls += 1;
                    self.nul();
                    self.at += 1;
                }
                Some(byte) => {
                    N::text_byte(self.out, *byte);
                    self.at += 1;
                }
            }
        }
        if let Err(NotA(name)) = N::end_text(self.out, begun, column.storage) {
            return Err(self.no_value(start, name));
        }
        if !self.valid_utf8 && std::str::from_utf8(&self.input[start..self.at]).is_err() {
            // Start again, with the slow method; it ends at the same place.
            self.out.truncate(before);
            self.at = start;
            return self.encoded_text(column, Charset::Utf8);
        }
        self.count_nuls(column, start, nuls)
    }

    #[cold]
    fn no_value(&mut self, start: usize, name: &str) -> Wrong {
        self.at = start;
        self.misfit = true;
        (format!("the value is no {name}"), None)
    }

    /// Copies the bytes that are the same in both notations, up to one that is not, or to the end.
    fn copy_plain(&mut self, search: EscapeSearch) {
        let mut rest = &self.input[self.at..];
        // Whole blocks are copied, and the excess is truncated: a copy of a fixed size is faster than one
        // of the right length.
        while let Some(block) = rest.first_chunk::<BLOCK>() {
            self.out.extend_from_slice(block);
            let plain = search.first(block);
            if plain < BLOCK {
                self.out.truncate(self.out.len() - (BLOCK - plain));
                self.at = self.input.len() - rest.len() + plain;
                return;
            }
            rest = &rest[BLOCK..];
        }
        let plain = rest
            .iter()
            .take_while(|byte| !search.stops_at(**byte))
            .count();
        self.out.extend_from_slice(&rest[..plain]);
        self.at = self.input.len() - rest.len() + plain;
    }

    /// Reads a backslash and the byte that it escapes; returns whether that is NUL.
    fn escape(&mut self, start: usize) -> Result<bool, Wrong> {
        let Some(&escaped) = self.input.get(self.at + 1) else {
            return Err(self.unterminated(start));
        };
        self.at += 2;
        let escape = N::ESCAPES[usize::from(escaped)];
        escape.write(self.out);
        if escape.is_nul() {
            self.nul();
        }
        Ok(escape.is_nul())
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

    /// A text in any character set and any notation: it is unescaped, decoded, written.
    pub(super) fn encoded_text(
        &mut self,
        column: &PlannedColumn,
        charset: Charset,
    ) -> Result<(), Wrong> {
        let start = self.at;
        let introducer = self.skip_introducer();
        let charset = introducer.map_or(Ok(charset), |name| introduced(name, charset))?;
        let mut bytes = Vec::new();
        if let Some(hex) = self.hex_digits()? {
            unhex(hex, &mut bytes);
        } else {
            self.quoted_bytes(&mut bytes)?;
        }
        let text = self.decode(column, charset, &bytes, start)?;
        let mut nuls = 0;
        let begun = N::begin_text(self.out, column.storage);
        for byte in text.bytes() {
            if byte == 0 && !N::HOLDS_NUL {
                nuls += 1;
                self.nul();
            } else {
                N::text_byte(self.out, byte);
            }
        }
        if let Err(NotA(name)) = N::end_text(self.out, begun, column.storage) {
            return Err(self.no_value(start, name));
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
                        format!("byte {at} of the text")
                    }
                    _ => "the text".to_owned(),
                };
                self.at = start;
                Err((format!("{place} is not valid {name}"), Some(INVALID_HINT)))
            }
            InvalidUtf8::Replace => {
                self.count(column, Change::InvalidReplaced);
                Ok(match charset {
                    Charset::Utf8 | Charset::Binary => utf8_lossy(bytes),
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
}

/// The character set of a text with an introducer; of `_binary` it is that of the column, which gets the bytes.
fn introduced(name: &[u8], column: Charset) -> Result<Charset, Wrong> {
    if name.eq_ignore_ascii_case(b"binary") {
        return Ok(column);
    }
    let name = String::from_utf8_lossy(name);
    Charset::named(&name).map_err(|_| {
        (
            "the text has a character set that is not supported".to_owned(),
            None,
        )
    })
}

/// `bytes` with U+FFFD for each wrong sequence. The three bytes of a surrogate, which MySQL's utf8 has, are one character
/// there, and so they are here: a text does not become longer than its column.
fn utf8_lossy(bytes: &[u8]) -> Cow<'_, str> {
    let is_surrogate = |bytes: &[u8]| matches!(bytes, [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..]);
    if !bytes.windows(3).any(is_surrogate) {
        return String::from_utf8_lossy(bytes);
    }
    let mut text = String::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let plain = (0..rest.len()).find(|at| is_surrogate(&rest[*at..]));
        let plain = plain.unwrap_or(rest.len());
        text += &String::from_utf8_lossy(&rest[..plain]);
        rest = &rest[plain..];
        if !rest.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            rest = &rest[3..];
        }
    }
    text.into()
}
