//! The state of a transcoder, and how it moves through its input.

use std::marker::PhantomData;

use crate::dump::charset::Multibyte;
use crate::dump::quoting::Quoting;
use crate::rows::plan::{PlannedColumn, UnusualValues};
use crate::rows::tally::{Change, Tally};
use crate::rows::value_policies::ValuePolicies;
use crate::rows::wider::Wider;

/// A value that cannot be transcoded, or bytes that are not a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Which row of the chunk, from 0.
    pub row: u64,
    /// The column, if the error is in one.
    pub column: Option<String>,
    /// The offset in the chunk, in bytes.
    pub at: usize,
    /// What is wrong, without the value.
    pub message: String,
    /// What stands there.
    pub found: String,
    /// What can be done about it.
    pub hint: Option<&'static str>,
    /// The type of the column that the value would fit into, if there is one.
    pub wider: Option<Wider>,
}

/// What is wrong with the current value, and a hint.
pub(super) type Wrong = (String, Option<&'static str>);

/// Goes through a chunk of tuples. The other files of this module add the methods for literals and for each kind of value.
pub(super) struct Transcoder<'a, N> {
    pub(super) input: &'a [u8],
    pub(super) at: usize,
    pub(super) out: &'a mut Vec<u8>,
    /// A buffer for a value that is assembled before it is written.
    pub(super) spare: Vec<u8>,
    /// A second one, for geometries.
    pub(super) spare_geometry: Vec<u8>,
    pub(super) valid_utf8: bool,
    pub(super) row: u64,
    pub(super) first_row: u64,
    pub(super) tally: &'a mut Tally,
    /// Whether the current value is wrong only because it does not fit into the type of its column.
    pub(super) misfit: bool,
    /// Those of the current column.
    pub(super) policies: ValuePolicies,
    /// Which bytes in the dump may be half a character, although they look like a quote or a backslash.
    pub(super) multibyte: Multibyte,
    /// Whether the dump was decoded from UTF-16.
    pub(super) is_decoded: bool,
    /// What values that are not usual literals mean, by the number in the column.
    pub(super) unusual: &'a [UnusualValues],
    /// How quotes and backslashes are read.
    pub(super) quoting: Quoting,
    pub(super) notation: PhantomData<N>,
}

impl<N> Transcoder<'_, N> {
    pub(super) fn skip_blank(&mut self) {
        while self.input.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// The current byte, or NUL at the end. A row has no NUL outside of strings.
    pub(super) fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, column: &PlannedColumn, change: Change) {
        self.tally
            .count(&column.name, change, self.first_row + self.row);
    }

    fn shown(&self) -> String {
        let rest = &self.input[self.at..];
        if rest.is_empty() {
            return "the end".to_owned();
        }
        let start = String::from_utf8_lossy(&rest[..rest.len().min(24)]);
        format!("\"{}\"", start.replace(char::is_control, "\u{fffd}"))
    }

    pub(super) fn error(&self, column: Option<&PlannedColumn>, (message, hint): Wrong) -> RowError {
        RowError {
            row: self.row,
            column: column.map(|column| column.name.clone()),
            at: self.at,
            message,
            found: self.shown(),
            hint,
            wider: column
                .filter(|_| self.misfit)
                .and_then(|column| column.wider),
        }
    }
}
