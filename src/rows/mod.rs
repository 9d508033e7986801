//! Transcodes rows of a MySQL dump into the text format of PostgreSQL's COPY.
//!
//! One pass from bytes to bytes: MySQL's escapes out, COPY's escapes in, no value objects. What
//! a column needs is decided once per table, in its [`Plan`].

mod dates;
mod tally;
mod transcode;

pub use tally::{Change, Occurrences, Tally};
pub use transcode::{Plan, PlannedColumn, RowError, transcode};

/// How the values of a column are transcoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// `tinyint(1)` to boolean: 0, 1, NULL.
    Boolean,
    /// A whole number, digit for digit.
    Integer,
    /// `bigint unsigned` to bigint: what is over 9,223,372,036,854,775,807 is an error.
    UnsignedToBigint,
    /// A decimal or floating-point number, digit for digit.
    Number,
    /// Text in UTF-8.
    Text,
    /// Bytes to bytea.
    Bytes,
    /// `bit(1)` to boolean.
    BitBoolean,
    /// `bit(n)` to `bit(n)`.
    Bits {
        /// n, at most 64.
        width: u8,
    },
    /// `date` to date.
    Date,
    /// `datetime` and `timestamp` to timestamp.
    Timestamp,
    /// `time` to time.
    Time,
}
