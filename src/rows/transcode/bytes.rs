//! Bytes and bits.

use super::transcoder::{Transcoder, Wrong};
use crate::rows::hex::unhex;
use crate::rows::notation::Notation;
use crate::rows::plan::PlannedColumn;
use crate::rows::tally::Change;
use crate::rows::value_kind::{Storage, ValueKind};

/// The bytes of a UUID.
const UUID_BYTES: usize = 16;

impl<N: Notation> Transcoder<'_, N> {
    pub(super) fn bytes(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        self.skip_introducer();
        let mut bytes = std::mem::take(&mut self.spare);
        bytes.clear();
        if let Some(hex) = self.hex_digits()? {
            unhex(hex, &mut bytes);
        } else {
            self.quoted_bytes(&mut bytes)?;
            self.note_decoded(column, &bytes);
        }
        if column.storage == Storage::Uuid && bytes.len() != UUID_BYTES {
            self.at = start;
            return Err(("the value has not the 16 bytes of a UUID".to_owned(), None));
        }
        N::bytes(self.out, &bytes, column.storage);
        self.spare = bytes;
        Ok(())
    }

    /// Counts quoted bytes that a shell has decoded as a text, if they are not ASCII.
    pub(super) fn note_decoded(&mut self, column: &PlannedColumn, bytes: &[u8]) {
        if self.is_decoded && !bytes.is_ascii() {
            self.count(column, Change::BytesAsText);
        }
    }

    pub(super) fn bits(&mut self, column: &PlannedColumn, width: u8) -> Result<u64, Wrong> {
        let start = self.at;
        let bits = self.bit_value(column)?;
        if width < 64 && bits >> width != 0 {
            self.at = start;
            return Err((format!("the value does not fit into bit({width})"), None));
        }
        Ok(bits)
    }

    /// The value of a bit column: its bytes as a string, in hexadecimal, in bits or as a number.
    fn bit_value(&mut self, column: &PlannedColumn) -> Result<u64, Wrong> {
        self.skip_introducer();
        let mut bytes = Vec::new();
        if matches!(self.peek(), b'b' | b'B') {
            self.at += 1;
            let digits = self.quoted_without_escapes()?;
            return binary(digits);
        }
        if self.input[self.at..].starts_with(b"0b") {
            let rest = &self.input[self.at + 2..];
            let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            self.at += 2 + length;
            return binary(&rest[..length]);
        }
        if let Some(hex) = self.hex_digits()? {
            unhex(hex, &mut bytes);
        } else if self.peek().is_ascii_digit() {
            let number = self.number_text(ValueKind::Integer)?;
            let number = std::str::from_utf8(number).unwrap_or_default();
            return number.parse().map_err(|_| {
                let message = "the number is out of the range of a bit column";
                (message.to_owned(), None)
            });
        } else {
            self.quoted_bytes(&mut bytes)?;
            self.note_decoded(column, &bytes);
        }
        let significant = bytes.iter().skip_while(|byte| **byte == 0);
        if significant.clone().count() > 8 {
            return Err(("more than 64 bits in a bit column".to_owned(), None));
        }
        Ok(significant.fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }
}

/// The value of binary digits.
fn binary(digits: &[u8]) -> Result<u64, Wrong> {
    if digits.len() > 64 || !digits.iter().all(|b| matches!(b, b'0' | b'1')) {
        return Err(("expected binary digits".to_owned(), None));
    }
    let bit = |bits: u64, digit: &u8| bits << 1 | u64::from(digit - b'0');
    Ok(digits.iter().fold(0, bit))
}
