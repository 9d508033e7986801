//! Bytes, bits and their hexadecimal notation.

use super::ValueKind;
use super::notation::Notation;
use super::transcode::{Transcoder, Wrong};

impl<'a, N: Notation> Transcoder<'a, N> {
    pub(super) fn bytes(&mut self) -> Result<(), Wrong> {
        self.skip_introducer();
        let mut bytes = std::mem::take(&mut self.spare);
        bytes.clear();
        if let Some(hex) = self.hex_digits()? {
            unhex(hex, &mut bytes);
        } else {
            self.quoted_bytes(&mut bytes)?;
        }
        N::bytes(self.out, &bytes);
        self.spare = bytes;
        Ok(())
    }

    pub(super) fn bits(&mut self, width: u8) -> Result<u64, Wrong> {
        let start = self.at;
        let bits = self.bit_value()?;
        if width < 64 && bits >> width != 0 {
            self.at = start;
            return Err((format!("{bits} does not fit into bit({width})"), None));
        }
        Ok(bits)
    }

    /// The value of a bit column: its bytes as a string, in hexadecimal, in bits or as a number.
    fn bit_value(&mut self) -> Result<u64, Wrong> {
        self.skip_introducer();
        let mut bytes = Vec::new();
        if matches!(self.peek(), b'b' | b'B') {
            self.at += 1;
            let digits = self.quoted_without_escapes()?;
            if digits.len() <= 64 && digits.iter().all(|b| matches!(b, b'0' | b'1')) {
                return Ok(digits
                    .iter()
                    .fold(0, |bits, digit| bits << 1 | u64::from(digit - b'0')));
            }
            return Err(("expected binary digits".to_owned(), None));
        }
        if let Some(hex) = self.hex_digits()? {
            unhex(hex, &mut bytes);
        } else if self.peek().is_ascii_digit() {
            let number = self.number_text(ValueKind::Integer)?;
            let number = std::str::from_utf8(number).unwrap_or_default();
            return number.parse().map_err(|_| {
                (
                    format!("{number} is out of the range of a bit column"),
                    None,
                )
            });
        } else {
            self.quoted_bytes(&mut bytes)?;
        }
        let significant = bytes.iter().skip_while(|byte| **byte == 0);
        if significant.clone().count() > 8 {
            return Err(("more than 64 bits in a bit column".to_owned(), None));
        }
        Ok(significant.fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }

    /// The digits of `0x…` or `x'…'`, if that is what stands here.
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
}

/// Appends the bytes of hexadecimal digits; an odd count has a zero before it, as in MySQL.
pub(super) fn unhex(digits: &[u8], bytes: &mut Vec<u8>) {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    };
    let (first, pairs) = digits.split_at(digits.len() % 2);
    bytes.extend(first.iter().map(|digit| value(*digit)));
    bytes.extend(
        pairs
            .chunks_exact(2)
            .map(|pair| value(pair[0]) << 4 | value(pair[1])),
    );
}

/// Two hexadecimal digits for each byte.
pub(super) const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};
