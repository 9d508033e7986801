//! Transcodes rows of a MySQL dump into the text format of PostgreSQL's COPY.
//!
//! One pass from bytes to bytes: MySQL's escapes out, COPY's escapes in, no value objects. What
//! a column needs is decided once per table, in its [`Plan`].

mod bytes;
mod dates;
mod policy;
mod tally;
mod text;
mod transcode;

use crate::charset::Charset;

pub use policy::{InvalidUtf8, Nul, ValuePolicies, ZeroDates};
pub use tally::{Change, Occurrences, Tally};
pub use transcode::{Plan, PlannedColumn, RowError, transcode};

/// How the values of a column are transcoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// `tinyint(1)` to boolean: 0, 1, NULL.
    Boolean,
    /// `tinyint(1)` to boolean: every number but 0 is true.
    Truthy,
    /// A whole number, digit for digit.
    Integer,
    /// `bigint unsigned` to bigint: what is over 9,223,372,036,854,775,807 is an error.
    UnsignedToBigint,
    /// A decimal or floating-point number, digit for digit.
    Number,
    /// Text in UTF-8.
    Text,
    /// Text in another character set.
    EncodedText(Charset),
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
    /// `timestamp`, in UTC, to a timestamp in this machine's time zone.
    LocalTimestamp,
    /// `time` to time.
    Time,
    /// `time` to interval.
    Interval,
    /// Read over; the target has no such column.
    Skipped,
}
