//! Vectors: as bytes, or as calls of the functions that make them of a text.

use super::transcoder::{Transcoder, Wrong};
use crate::rows::hex::unhex;
use crate::rows::notation::Notation;
use crate::rows::plan::PlannedColumn;
use crate::rows::value_kind::Storage;
use crate::rows::vectors::{entries, is_finite, of_text};

/// The functions (MySQL manual, 14.22; MariaDB's documentation, "Vec_FromText").
const FUNCTIONS: [&str; 3] = ["STRING_TO_VECTOR", "TO_VECTOR", "VEC_FROMTEXT"];

const HINT: Option<&str> = Some("--vector real makes the column real[], which holds it");

impl<N: Notation> Transcoder<'_, N> {
    /// Writes a vector, which must have so many entries.
    pub(super) fn vector(
        &mut self,
        column: &PlannedColumn,
        dimensions: Option<u16>,
    ) -> Result<(), Wrong> {
        let start = self.at;
        let mut value = std::mem::take(&mut self.spare);
        value.clear();
        let done = self.vector_value(column, dimensions, &mut value);
        match &done {
            Ok(()) => N::bytes(self.out, &value, column.storage),
            Err(_) => self.at = start,
        }
        self.spare = value;
        done
    }

    fn vector_value(
        &mut self,
        column: &PlannedColumn,
        dimensions: Option<u16>,
        value: &mut Vec<u8>,
    ) -> Result<(), Wrong> {
        let wrong = |what: &str| (what.to_owned(), None);
        match self.call() {
            Some(name) if FUNCTIONS.contains(&name.as_str()) => {
                let mut text = Vec::new();
                self.skip_introducer();
                self.quoted_bytes(&mut text)?;
                self.skip_blank();
                if self.peek() != b')' {
                    return Err(wrong("expected the end of a function"));
                }
                self.at += 1;
                if !of_text(&text, value) {
                    return Err(wrong("expected the text of a vector: [1,2.5]"));
                }
            }
            Some(_) => return Err(wrong("this function is not understood")),
            None => {
                self.skip_introducer();
                if let Some(hex) = self.hex_digits()? {
                    unhex(hex, value);
                } else {
                    self.quoted_bytes(value)?;
                    self.note_decoded(column, value);
                }
            }
        }
        let Some(count) = entries(value) else {
            return Err(wrong("a vector has four bytes for each entry"));
        };
        if let Some(wanted) = dimensions.filter(|wanted| usize::from(*wanted) != count) {
            self.misfit = true;
            let what = format!("the vector has {count} entries, not {wanted}");
            return Err((what, None));
        }
        if column.storage == Storage::Vector && !is_finite(value) {
            return Err(("pgvector has no NaN and no infinity".to_owned(), HINT));
        }
        Ok(())
    }
}

/// Whether `text` begins with the name of a function that makes a vector.
pub(super) fn is_call(text: &[u8]) -> bool {
    FUNCTIONS.iter().any(|name| {
        let found = text.get(..name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    })
}
