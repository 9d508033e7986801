//! Counts the changes of data that are more than a change of notation.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::codes::Code;

/// So many places of a change are kept beside its count.
const PLACES: usize = 3;

/// A change of data that the report must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A date with a zero part became NULL.
    ZeroDateToNull,
    /// A date with a zero part became -infinity.
    ZeroDateToInfinity,
    /// A day that its month does not have became NULL.
    InvalidDateToNull,
    /// NUL characters of a text, which PostgreSQL cannot hold, were left out.
    NulStripped,
    /// NUL characters of a text became U+FFFD.
    NulReplaced,
    /// Bytes that are not valid in a text's character set became U+FFFD.
    InvalidReplaced,
    /// A text that is not valid in its character set was read as latin1.
    InvalidAsLatin1,
    /// A number other than 0 and 1 became true.
    NumberToTrue,
    /// Bytes that are not ASCII, in a dump in UTF-16: a shell has decoded them as if they were a text.
    BytesAsText,
    /// A time outside of a day became an interval: the value is unchanged, but the report names it.
    OutsideDay,
}

impl Change {
    /// What was found in a column, for a report before anything is changed, with the option that decides about it.
    #[must_use]
    pub fn found(self) -> String {
        let by = match self {
            Change::ZeroDateToNull | Change::ZeroDateToInfinity => "--zero-dates",
            Change::InvalidDateToNull => "--invalid-dates",
            Change::NulStripped | Change::NulReplaced => "--nul",
            Change::InvalidReplaced | Change::InvalidAsLatin1 => "--invalid-utf8",
            Change::NumberToTrue => "--tinyint1",
            Change::BytesAsText => "make it with --hex-blob",
            Change::OutsideDay => "--time",
        };
        format!("{} ({by})", self.kind())
    }

    /// The option and its value that decide so, if one does.
    #[must_use]
    pub fn policy(self) -> Option<&'static str> {
        match self {
            Change::ZeroDateToNull => Some("--zero-dates null"),
            Change::ZeroDateToInfinity => Some("--zero-dates infinity"),
            Change::InvalidDateToNull => Some("--invalid-dates null"),
            Change::NulStripped => Some("--nul strip"),
            Change::NulReplaced => Some("--nul replace"),
            Change::InvalidReplaced => Some("--invalid-utf8 replace"),
            Change::InvalidAsLatin1 => Some("--invalid-utf8 latin1"),
            Change::NumberToTrue => Some("--tinyint1 truthy"),
            Change::BytesAsText => None,
            Change::OutsideDay => Some("--time interval"),
        }
    }

    /// The code of its kind.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Change::ZeroDateToNull | Change::ZeroDateToInfinity => Code::ZeroDate,
            Change::InvalidDateToNull => Code::InvalidDate,
            Change::NulStripped | Change::NulReplaced => Code::Nul,
            Change::InvalidReplaced | Change::InvalidAsLatin1 => Code::InvalidText,
            Change::NumberToTrue => Code::NumberAsBoolean,
            Change::BytesAsText => Code::Utf16Bytes,
            Change::OutsideDay => Code::TimeOutsideDay,
        }
    }

    /// What was found in a column.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Change::ZeroDateToNull | Change::ZeroDateToInfinity => "zero dates",
            Change::InvalidDateToNull => "dates that no calendar has",
            Change::NulStripped | Change::NulReplaced => "texts with NUL characters",
            Change::InvalidReplaced | Change::InvalidAsLatin1 => {
                "texts not valid in their character set"
            }
            Change::NumberToTrue => "numbers other than 0 and 1 in a tinyint(1)",
            Change::BytesAsText => "binary values in a dump in UTF-16",
            Change::OutsideDay => "times outside of a day",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Change::ZeroDateToNull => "zero dates became NULL",
            Change::ZeroDateToInfinity => "zero dates became -infinity",
            Change::InvalidDateToNull => "dates that no calendar has became NULL",
            Change::NulStripped => "texts lost their NUL characters",
            Change::NulReplaced => "texts had their NUL characters replaced by U+FFFD",
            Change::InvalidReplaced => "texts had invalid bytes replaced by U+FFFD",
            Change::InvalidAsLatin1 => "invalid texts were read as latin1",
            Change::NumberToTrue => "numbers other than 0 and 1 became true",
            Change::BytesAsText => {
                "binary values may be damaged: the shell that wrote the dump in UTF-16 decoded them"
            }
            Change::OutsideDay => "times are outside of a day",
        })
    }
}

/// How often a change was made, and the first places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// Values changed.
    pub count: u64,
    /// The numbers of the first rows with the change, from 1.
    pub rows: Vec<u64>,
}

impl Occurrences {
    fn add(&mut self, other: &Occurrences) {
        self.count += other.count;
        self.rows.extend_from_slice(&other.rows);
        self.rows.sort_unstable();
        self.rows.truncate(PLACES);
    }
}

/// The changes made to the rows of one table, by column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    changes: BTreeMap<(String, Change), Occurrences>,
    largest: (usize, u64),
    /// Where the rows begin in their chunk, in bytes, if that is wanted.
    starts: Option<Vec<u32>>,
}

impl Tally {
    pub(super) fn count(&mut self, column: &str, change: Change, row: u64) {
        let one = Occurrences {
            count: 1,
            rows: vec![row],
        };
        self.changes
            .entry((column.to_owned(), change))
            .or_default()
            .add(&one);
    }

    /// A tally that also records where the rows begin.
    #[must_use]
    pub fn with_starts() -> Tally {
        Tally {
            starts: Some(Vec::new()),
            ..Tally::default()
        }
    }

    /// The offsets of the rows in their chunk, in bytes, if they were recorded.
    pub fn take_starts(&mut self) -> Vec<u32> {
        self.starts.take().unwrap_or_default()
    }

    /// Counts the row with this number, which has these bytes of the chunk.
    pub(super) fn row(&mut self, bytes: std::ops::Range<usize>, row: u64) {
        if bytes.len() > self.largest.0 {
            self.largest = (bytes.len(), row);
        }
        if let Some(starts) = &mut self.starts {
            starts.push(u32::try_from(bytes.start).unwrap_or(u32::MAX));
        }
    }

    /// The bytes of the largest row in the dump, and its number.
    #[must_use]
    pub fn largest_row(&self) -> (usize, u64) {
        self.largest
    }

    /// Adds the changes of another part of the same table.
    pub fn merge(&mut self, other: &Tally) {
        self.largest = self.largest.max(other.largest);
        for (key, occurrences) in &other.changes {
            self.changes
                .entry(key.clone())
                .or_default()
                .add(occurrences);
        }
    }

    /// The changes, in the order of the columns' names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Change, &Occurrences)> {
        self.changes
            .iter()
            .map(|((column, change), occurrences)| (column.as_str(), *change, occurrences))
    }

    /// Whether `change` was made in `column`.
    #[must_use]
    pub fn has(&self, column: &str, change: Change) -> bool {
        self.changes.contains_key(&(column.to_owned(), change))
    }

    /// Whether values of `column` became NULL.
    #[must_use]
    pub fn has_new_nulls(&self, column: &str) -> bool {
        [Change::ZeroDateToNull, Change::InvalidDateToNull]
            .iter()
            .any(|change| self.has(column, *change))
    }

    /// Whether no value was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes
            .keys()
            .all(|(_, change)| *change == Change::OutsideDay)
    }
}
