//! Values for a MySQL server that stay as the dump has them: numbers (FLOAT, DOUBLE, DECIMAL, …), dates and times.

use super::transcoder::{Transcoder, Wrong};
use crate::rows::notation::Notation;
use crate::rows::plan::PlannedColumn;
use crate::rows::value_kind::ValueKind;

impl<N: Notation> Transcoder<'_, N> {
    /// Writes a number, date or time unchanged: MySQL wrote it, and MySQL reads it. So a FLOAT keeps its digits.
    pub(super) fn as_written(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        if !matches!(self.peek(), b'\'' | b'"') {
            let number = self.number_text(ValueKind::Number)?;
            N::moment(self.out, number, column.storage);
            return Ok(());
        }
        let text = self.quoted_without_escapes()?;
        let is_part = |byte: &u8| {
            matches!(
                byte,
                b'0'..=b'9' | b'-' | b'+' | b'.' | b':' | b' ' | b'e' | b'E'
            )
        };
        if !text.iter().all(is_part) {
            self.at = start;
            return Err(("expected a number, date or time".to_owned(), None));
        }
        N::moment(self.out, text, column.storage);
        Ok(())
    }
}
