//! What is done with values that PostgreSQL cannot hold as they are. Every choice but an error is
//! counted in the tally.

use clap::ValueEnum;

/// The policies that concern single values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ValuePolicies {
    /// Dates with a zero year, month or day.
    pub zero_dates: ZeroDates,
    /// Dates like 2023-02-30.
    pub invalid_dates: InvalidDates,
    /// NUL characters in a text.
    pub nul: Nul,
    /// Texts that are not valid in their character set.
    pub invalid_utf8: InvalidUtf8,
}

impl ValuePolicies {
    /// Those that refuse no value.
    #[must_use]
    pub fn lenient() -> ValuePolicies {
        ValuePolicies {
            zero_dates: ZeroDates::Null,
            invalid_dates: InvalidDates::Null,
            nul: Nul::Strip,
            invalid_utf8: InvalidUtf8::Replace,
        }
    }
}

/// What becomes of a date with a zero part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ZeroDates {
    /// NULL; NOT NULL is left out where it would be in the way
    #[default]
    Null,
    /// An error
    Error,
    /// -infinity
    Infinity,
}

/// What becomes of a day that its month does not have, which MySQL stores if the SQL mode ALLOW_INVALID_DATES is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum InvalidDates {
    /// An error
    #[default]
    Error,
    /// NULL; NOT NULL is left out where it would be in the way
    Null,
}

/// What becomes of a NUL character in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Nul {
    /// Left out
    #[default]
    Strip,
    /// An error
    Error,
    /// The replacement character U+FFFD
    Replace,
}

/// What becomes of a text that is not valid in its character set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum InvalidUtf8 {
    /// An error
    #[default]
    Error,
    /// Each wrong sequence becomes the replacement character U+FFFD
    Replace,
    /// The text is read as MySQL's latin1 (windows-1252)
    Latin1,
}
