//! Whole numbers, decimals, floating-point numbers, and the numbers that are booleans.

use super::transcoder::{Transcoder, Wrong};
use crate::rows::notation::{Notation, OutOfRange};
use crate::rows::plan::PlannedColumn;
use crate::rows::tally::Change;
use crate::rows::value_kind::ValueKind;

const TINYINT1_HINT: &str =
    "--tinyint1 smallint keeps such numbers, --tinyint1 truthy makes them true";

impl<'a, N: Notation> Transcoder<'a, N> {
    /// Writes a number. Only its characters and the range of its type are checked: it comes from a column of
    /// numbers of this kind.
    pub(super) fn number(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        let number = self.number_text(column.kind)?;
        N::number(self.out, number, column.storage)
            .map_err(|OutOfRange(name)| self.out_of_range(start, name))
    }

    pub(super) fn unsigned_to_bigint(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        let number = self.number_text(ValueKind::Integer)?;
        let text = std::str::from_utf8(number).unwrap_or_default();
        if text.parse::<i64>().is_err() {
            return Err(self.out_of_range(start, "bigint"));
        }
        N::number(self.out, number, column.storage)
            .map_err(|OutOfRange(name)| self.out_of_range(start, name))
    }

    pub(super) fn boolean(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        let number = self.number_text(ValueKind::Integer)?;
        let value = match number {
            b"0" => false,
            b"1" => true,
            _ if column.kind == ValueKind::Truthy => {
                self.count(column, Change::NumberToTrue);
                true
            }
            _ => {
                self.at = start;
                self.misfit = true;
                let message = "the number in a tinyint(1) is neither 0 nor 1".to_owned();
                return Err((message, Some(TINYINT1_HINT)));
            }
        };
        N::boolean(self.out, value);
        Ok(())
    }

    pub(super) fn number_text(&mut self, kind: ValueKind) -> Result<&'a [u8], Wrong> {
        let start = self.at;
        let rest = &self.input[start..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && matches!(rest.get(digits), Some(b',' | b')')) {
            self.at += digits;
            return Ok(&rest[..digits]);
        }
        let quoted = matches!(self.peek(), b'\'' | b'"');
        let text = if quoted {
            self.quoted_without_escapes()?
        } else {
            let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
            let length = self.input[start..].iter().take_while(is_part).count();
            self.at += length;
            &self.input[start..start + length]
        };
        if !quoted && text.eq_ignore_ascii_case(b"true") {
            return Ok(b"1");
        }
        if !quoted && text.eq_ignore_ascii_case(b"false") {
            return Ok(b"0");
        }
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let is_number = match kind {
            ValueKind::Number => {
                digits
                    .first()
                    .is_some_and(|b| b.is_ascii_digit() || *b == b'.')
                    && digits
                        .iter()
                        .all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'))
            }
            _ => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        };
        if !is_number {
            self.at = start;
            let what = if kind == ValueKind::Number {
                "number"
            } else {
                "whole number"
            };
            return Err((format!("expected a {what}"), None));
        }
        Ok(text)
    }

    fn out_of_range(&mut self, start: usize, name: &str) -> Wrong {
        self.at = start;
        self.misfit = true;
        (format!("the number is out of the range of {name}"), None)
    }
}
