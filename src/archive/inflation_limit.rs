//! Stops decompression bombs: small members that inflate to more than a disk can hold.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use crate::error::Error;
use crate::error::chain::behind;

/// The default of how many times its size a member may inflate to. Dumps and traces inflate to 5 to 50 times their
/// size; the maximum of deflate is 1032.
pub const DEFAULT_MAX_INFLATION: u32 = 200;

/// The limit for one stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// Up to so many bytes any ratio is allowed: small data may be very regular.
    pub(super) free: u64,
    /// Beyond that, the ratio of inflated to compressed bytes.
    pub(super) ratio: u32,
}

impl Limit {
    /// The limit of a dump or of traces.
    pub(super) fn of_data(ratio: u32) -> Limit {
        Limit {
            free: 512 * 1024 * 1024,
            ratio,
        }
    }

    /// A reader of what `inflate` makes of `compressed`, with this limit.
    pub(super) fn keep<R: Read, I: Read>(
        self,
        compressed: R,
        inflate: impl FnOnce(Counted<R>) -> I,
    ) -> Limited<I> {
        let taken = Rc::new(Cell::new(0));
        let counted = Counted {
            inner: compressed,
            bytes: Rc::clone(&taken),
        };
        Limited {
            inner: inflate(counted),
            taken,
            given: 0,
            limit: self,
        }
    }
}

/// The error for `member` if `cause` is more specific than "it is damaged".
pub(crate) fn inflation_failure(member: &str, cause: &io::Error) -> Option<Error> {
    if let Some(error) = error_behind(cause) {
        return Some(error.at(member));
    }
    let exceeded = Exceeded::behind(cause)?;
    Some(Error::archive(format!("{member}: {exceeded}")).hint(
        "do not trust this archive; if you made it yourself, --max-inflation allows a higher ratio",
    ))
}

/// This program's own error inside `error`, if there is one.
pub(crate) fn error_behind(error: &io::Error) -> Option<Error> {
    behind(error).cloned()
}

/// More was inflated than the limit allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exceeded {
    ratio: u32,
    at: u64,
}

impl Exceeded {
    /// The `Exceeded` inside `error`, if there is one.
    pub(super) fn behind(error: &io::Error) -> Option<Exceeded> {
        behind(error).cloned()
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exceeded { ratio, at } = self;
        write!(
            f,
            "it inflates to more than {ratio} times its size (byte {at} of its content)"
        )
    }
}

impl std::error::Error for Exceeded {}

/// Counts the compressed bytes that are read.
pub(super) struct Counted<R> {
    inner: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + count as u64);
        Ok(count)
    }
}

/// Reads `inner` until it has given too much for the compressed bytes `taken`.
pub(super) struct Limited<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
    given: u64,
    limit: Limit,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.given += count as u64;
        let Limit { free, ratio } = self.limit;
        let allowed = self.taken.get().saturating_mul(ratio.into());
        if self.given > free && self.given > allowed {
            let exceeded = Exceeded {
                ratio,
                at: self.given,
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, exceeded));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::inflate::read_failure;
    use crate::error::Kind;

    fn limited(taken: u64, ratio: u32, free: u64) -> Limited<io::Repeat> {
        Limited {
            inner: io::repeat(0),
            taken: Rc::new(Cell::new(taken)),
            given: 0,
            limit: Limit { free, ratio },
        }
    }

    fn read(reader: &mut impl Read, count: usize) -> io::Result<()> {
        reader.read_exact(&mut vec![0; count])
    }

    #[test]
    fn too_much_is_an_error_that_says_so() {
        let mut reader = limited(10, 200, 100);
        read(&mut reader, 2000).unwrap();
        let error = read(&mut reader, 1).unwrap_err();
        // The tar reader wraps what it cannot read.
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, io::Error::other(error));
        let error = read_failure("m", 7, &wrapped);
        assert_eq!(
            error.to_string(),
            "m: it inflates to more than 200 times its size (byte 2001 of its content)"
        );
        assert_eq!(error.kind(), Kind::Archive);
        assert!(error.hint_text().unwrap().contains("--max-inflation"));
    }

    #[test]
    fn what_is_small_may_inflate_as_it_likes() {
        let mut reader = limited(0, 1, 100);
        read(&mut reader, 100).unwrap();
        assert!(read(&mut reader, 1).is_err());
        assert!(read(&mut limited(1000, u32::MAX, 0), 1_000_000).is_ok());
    }

    #[test]
    fn other_errors_are_others() {
        let other = io::Error::new(io::ErrorKind::InvalidData, "corrupt deflate stream");
        assert_eq!(Exceeded::behind(&other), None);
        assert_eq!(Exceeded::behind(&io::ErrorKind::UnexpectedEof.into()), None);
    }
}
