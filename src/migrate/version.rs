//! The version of a migration: the UTC time when it was written, to the second, as in Rails.

use std::fmt;

use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// The number of its digits.
pub(crate) const DIGITS: usize = 14;

/// See the module. Migrations run in the order of their versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(DateTime);

impl Version {
    /// The version of this time.
    #[must_use]
    pub const fn at(time: DateTime) -> Version {
        Version(time)
    }

    /// Parses a version such as `20151001120000`; none if it is no time.
    #[must_use]
    pub fn parse(text: &str) -> Option<Version> {
        if text.len() != DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let part = |from: usize, to: usize| text[from..to].parse::<i8>().ok();
        let year = text[..4].parse().ok()?;
        let date = (part(4, 6)?, part(6, 8)?);
        let time = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
        let parsed = DateTime::new(year, date.0, date.1, time.0, time.1, time.2, 0);
        parsed.ok().map(Version)
    }

    /// The version of the current second.
    #[must_use]
    pub fn now() -> Version {
        let now = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
        Version(now.with().subsec_nanosecond(0).build().unwrap_or(now))
    }

    /// The version one second later.
    #[must_use]
    pub fn next(self) -> Version {
        Version(self.0.saturating_add(1.second()))
    }

    /// The time, for people.
    #[must_use]
    pub fn time(self) -> String {
        self.0.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y%m%d%H%M%S"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_comes_back_from_its_text() {
        for text in [
            "20151001120000",
            "20000101000001",
            "20240229235959",
            "00010101000000",
        ] {
            assert_eq!(Version::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "2015100112000",
            "201510011200000",
            "20150229000000",
            "20151001126000",
            "2015100112000x",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        let last = Version::parse("20151231235959").unwrap();
        assert_eq!(last.next().to_string(), "20160101000000");
        assert_eq!(last.time(), "2015-12-31 23:59:59");
        assert!(Version::parse(&Version::now().to_string()) == Some(Version::now()));
        assert!(last < last.next());
    }
}
