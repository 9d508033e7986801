//! The kind of a column's values in the dump, and the type that stores them in the target.

use crate::dump::charset::Charset;

/// How the values of a column are transcoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// `tinyint(1)` to boolean: 0, 1, NULL.
    Boolean,
    /// `tinyint(1)` to boolean: every number but 0 is true.
    Truthy,
    /// A whole number, digit for digit.
    Integer,
    /// `bigint unsigned` to bigint: a number over 9,223,372,036,854,775,807 is an error.
    UnsignedToBigint,
    /// A decimal or floating-point number, digit for digit.
    Number,
    /// Text in UTF-8.
    Text,
    /// Text in another character set.
    EncodedText(Charset),
    /// Bytes to bytea.
    Bytes,
    /// A geometry to EWKB.
    Geometry {
        /// Whether the order of axes in texts is the one of the reference system, as MySQL has it from 8.0 on.
        by_system: bool,
    },
    /// A vector to pgvector's type or an array.
    Vector {
        /// How many entries each value must have, if it must.
        dimensions: Option<u16>,
    },
    /// A number (FLOAT, DOUBLE, …), date or time for a MySQL server, exactly as the dump has it.
    AsWritten,
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
    /// Not written: the target has no such column.
    Skipped,
}

/// The type of a column in PostgreSQL. Types with the same binary notation are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// `boolean`
    Boolean,
    /// `smallint`
    Smallint,
    /// `integer`
    Integer,
    /// `bigint`
    Bigint,
    /// `numeric`
    Numeric,
    /// `double precision`
    Double,
    /// `text`, and what is sent as text is: `varchar`, `char`
    Text,
    /// An enum's own type, which has no empty value
    Enum,
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// `bytea`
    Bytea,
    /// `bit(n)`
    Bit,
    /// `date`
    Date,
    /// `timestamp`, with or without time zone
    Timestamp,
    /// `time`
    Time,
    /// `interval`
    Interval,
    /// `uuid`
    Uuid,
    /// `inet`
    Inet,
    /// PostGIS' `geometry`
    Geometry,
    /// pgvector's `vector`
    Vector,
    /// `real[]`
    Reals,
}
