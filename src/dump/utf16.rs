//! Dumps in UTF-16, as Windows PowerShell redirects the output of a program, are decoded to UTF-8.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memmem;

use crate::error::{Error, Result};

/// What stands where a program could not decode a byte: U+FFFD, in UTF-8.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The bytes of a byte order mark of UTF-16.
const MARK_BYTES: usize = 2;

/// The encoding of a dump that begins with a byte order mark of UTF-16.
fn encoding(start: &[u8]) -> Option<&'static Encoding> {
    match start {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether a dump that begins with `start` is in UTF-16.
#[must_use]
pub fn is_utf16(start: &[u8]) -> bool {
    encoding(start).is_some()
}

/// What was seen in a dump in UTF-16.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Utf16Facts {
    /// How many characters are U+FFFD: a program before this one has lost them.
    pub replaced: u64,
}

/// Decodes a dump, block by block.
pub struct Utf16Decoder {
    decoder: encoding_rs::Decoder,
    /// The bytes before the next block.
    bytes: u64,
    facts: Utf16Facts,
}

impl Utf16Decoder {
    /// The decoder for a dump that begins with `start`, if it begins with a byte order mark of UTF-16.
    #[must_use]
    pub fn of(start: &[u8]) -> Option<Utf16Decoder> {
        Some(Utf16Decoder {
            decoder: encoding(start)?.new_decoder_without_bom_handling(),
            bytes: 0,
            facts: Utf16Facts::default(),
        })
    }

    /// The next block in UTF-8. Blocks may be cut anywhere.
    pub fn decode(&mut self, block: &[u8]) -> Result<Vec<u8>> {
        let before = if self.bytes == 0 { MARK_BYTES } else { 0 };
        self.bytes += before as u64;
        self.decode_all(&block[before.min(block.len())..], false)
    }

    /// Ends the dump; it is an error if it ends within a character.
    pub fn finish(mut self) -> Result<Utf16Facts> {
        self.decode_all(b"", true)?;
        Ok(self.facts)
    }

    fn decode_all(&mut self, block: &[u8], at_end: bool) -> Result<Vec<u8>> {
        let needed = self
            .decoder
            .max_utf8_buffer_length_without_replacement(block.len());
        // Two bytes become at most three.
        let mut text = vec![0; needed.unwrap_or(2 * block.len() + 16)];
        let (result, read, written) = self
            .decoder
            .decode_to_utf8_without_replacement(block, &mut text, at_end);
        self.bytes += read as u64;
        text.truncate(written);
        match result {
            DecoderResult::InputEmpty => {}
            DecoderResult::OutputFull => {
                return Err(Error::failed(
                    "the buffer for a text in UTF-16 is too small",
                ));
            }
            DecoderResult::Malformed(..) if at_end => {
                let byte = self.bytes;
                return Err(Error::archive(format!(
                    "it is UTF-16, and ends in the middle of a character, at byte {byte}"
                ))
                .hint("check that the file was copied completely"));
            }
            DecoderResult::Malformed(length, behind) => {
                let byte = self
                    .bytes
                    .saturating_sub(u64::from(length) + u64::from(behind));
                return Err(Error::archive(format!(
                    "it is UTF-16, but has half of a surrogate pair at byte {byte}"
                ))
                .hint("make the dump again with --result-file=FILE, without a shell's >"));
            }
        }
        self.facts.replaced += memmem::find_iter(&text, REPLACEMENT).count() as u64;
        Ok(text)
    }
}

/// The beginning of a dump in UTF-8, without a byte order mark. `start` is a part of the file; what is not valid in it is
/// replaced.
#[must_use]
pub fn beginning_in_utf8(start: &[u8]) -> Cow<'_, [u8]> {
    match Encoding::for_bom(start) {
        Some((encoding, mark)) if encoding != UTF_8 => {
            let (text, _) = encoding.decode_without_bom_handling(&start[mark..]);
            text.into_owned().into_bytes().into()
        }
        Some((_, mark)) => start[mark..].into(),
        None => start.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` in UTF-16 with a byte order mark: little endian or big endian.
    fn utf16(text: &str, is_little: bool) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units
            .flat_map(|unit| {
                if is_little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect()
    }

    fn decoded(bytes: &[u8], cut: usize) -> Result<(String, Utf16Facts)> {
        // The first block has at least the byte order mark.
        let (first, second) = bytes.split_at(cut);
        let mut decoder = Utf16Decoder::of(first).expect("a byte order mark");
        let mut text = decoder.decode(first)?;
        text.extend(decoder.decode(second)?);
        Ok((String::from_utf8(text).unwrap(), decoder.finish()?))
    }

    #[test]
    fn it_is_the_same_wherever_it_is_cut() {
        let text = "-- é 日本 😀 \u{fffd}\r\n";
        for is_little in [true, false] {
            let bytes = utf16(text, is_little);
            for cut in 2..=bytes.len() {
                let found = decoded(&bytes, cut).unwrap();
                assert_eq!(found, (text.to_owned(), Utf16Facts { replaced: 1 }));
            }
        }
        assert!(Utf16Decoder::of(b"-- MySQL dump").is_none());
        assert_eq!(*beginning_in_utf8(&utf16("SET", true)), *b"SET");
        assert_eq!(*beginning_in_utf8(b"\xef\xbb\xbfSET"), *b"SET");
    }

    #[test]
    fn halves_are_errors_with_their_place() {
        let (high, low) = ([0x3d, 0xd8], [0x00, 0xde]);
        let a = [b'a', 0];
        let mark = [0xff, 0xfe];
        for (units, expected) in [
            (
                vec![a, high, a, a],
                "has half of a surrogate pair at byte 4",
            ),
            (vec![a, low, a, a], "has half of a surrogate pair at byte 4"),
            (
                vec![a, high, high, low],
                "has half of a surrogate pair at byte 4",
            ),
            (
                vec![a, a, high],
                "ends in the middle of a character, at byte 8",
            ),
        ] {
            let bytes = [&mark[..], &units.concat()].concat();
            for cut in 2..=bytes.len() {
                let error = decoded(&bytes, cut).unwrap_err().to_string();
                assert!(error.ends_with(expected), "{error}, cut at {cut}");
            }
        }
        let error = decoded(b"\xff\xfea\0b", 4).unwrap_err().to_string();
        assert!(error.ends_with("at byte 5"), "{error}");
    }
}
