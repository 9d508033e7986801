//! Estimates the size of an archive's content, and the duration of its import.

use std::fmt;
use std::time::Duration;

use crate::archive::MemberSize;

/// In a larger member, the size in the trailer may have overflowed, even several times.
const TRUSTED_BYTES: u64 = 200 * 1024 * 1024;

/// The usual ratio of dumps and traces between their inflated and compressed size.
const USUAL_RATIO: u64 = 8;

/// Megabytes of SQL, and of traces, per second: with a slow disk, with a fast one.
const SQL_SPEED: (u64, u64) = (20, 130);
const TRACES_SPEED: (u64, u64) = (20, 150);

const MEGABYTE: u64 = 1_000_000;

/// Inflated sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The size of the dump.
    pub sql: u64,
    /// The size of the traces.
    pub traces: u64,
    /// The minimum size of the traces.
    pub least_traces: u64,
}

/// Estimates the content of an archive by the trailers of its members, where gzip stores the size modulo 2^32
/// (RFC 1952, 2.3.1).
#[must_use]
pub fn estimate(database: MemberSize, builds: MemberSize) -> Estimate {
    let guess = |size: MemberSize| {
        let least = u64::from(size.in_trailer);
        if size.compressed > TRUSTED_BYTES || least < size.compressed {
            least.max(size.compressed.saturating_mul(USUAL_RATIO))
        } else {
            least
        }
    };
    Estimate {
        sql: guess(database),
        traces: guess(builds),
        least_traces: builds.in_trailer.into(),
    }
}

impl Estimate {
    /// The duration of the import at best, and on a slow machine. Database and traces are imported at the
    /// same time.
    #[must_use]
    pub fn durations(&self) -> (Duration, Duration) {
        let at = |sql: u64, traces: u64| {
            let seconds = (self.sql / MEGABYTE / sql).max(self.traces / MEGABYTE / traces);
            Duration::from_secs(1 + seconds)
        };
        (
            at(SQL_SPEED.1, TRACES_SPEED.1),
            at(SQL_SPEED.0, TRACES_SPEED.0),
        )
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes.div_ceil(MEGABYTE);
        let (least, most) = self.durations();
        let (sql, traces) = (megabytes(self.sql), megabytes(self.traces));
        write!(f, "about {sql} MB of SQL and {traces} MB of traces: ")?;
        if least == most {
            write!(f, "about {}", Shown(least))
        } else {
            write!(f, "{} to {}", Shown(least), Shown(most))
        }
    }
}

/// A duration in words.
struct Shown(Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds < 100 {
            write!(f, "{seconds} s")
        } else {
            write!(f, "{} min", seconds.div_ceil(60))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_in_words() {
        let estimate = Estimate {
            sql: 4_000_000_000,
            traces: 200_000,
            least_traces: 0,
        };
        assert_eq!(
            estimate.to_string(),
            "about 4000 MB of SQL and 1 MB of traces: 31 s to 4 min"
        );
        let small = Estimate {
            sql: 200_000,
            ..estimate
        };
        assert_eq!(
            small.to_string(),
            "about 1 MB of SQL and 1 MB of traces: about 1 s"
        );
    }
}
