//! A member of an archive that can be read in any order: a range of its bytes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Doing, Result};

/// Bytes that several readers can read at the same time, in any order: a file, or an object in an object storage.
pub trait RandomAccess: fmt::Debug + Send + Sync {
    /// Reads bytes from `offset` on, as many as there are at once; none only at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// A reader of the bytes of `range` from the first to the last, if that is faster than reading them one after the
    /// other.
    fn read_ahead(self: Arc<Self>, range: Range<u64>) -> Option<Box<dyn Read + Send>>;
}

impl RandomAccess for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn read_ahead(self: Arc<Self>, _: Range<u64>) -> Option<Box<dyn Read + Send>> {
        // The kernel reads ahead.
        None
    }
}

/// Reads one range of a source without a position of the source's own, so several ranges can be read at the same time.
#[derive(Debug, Clone)]
pub struct Extent {
    source: Arc<dyn RandomAccess>,
    at: u64,
    end: u64,
}

impl Extent {
    /// The `length` bytes of `source` from `offset` on.
    #[must_use]
    pub fn new(source: Arc<dyn RandomAccess>, offset: u64, length: u64) -> Self {
        Extent {
            source,
            at: offset,
            end: offset.saturating_add(length),
        }
    }

    /// All bytes of an open file.
    pub fn of_open(file: &File) -> Result<Self> {
        let copy = file.try_clone().doing("read a file")?;
        let length = copy.metadata().doing("read a file")?.len();
        Ok(Extent::new(Arc::new(copy), 0, length))
    }

    /// The whole file at `path`.
    pub fn of_file(path: &Path) -> Result<Self> {
        let doing = || format!("read {}", path.display());
        Extent::of_open(&File::open(path).doing(doing())?)
    }

    /// The `length` bytes of the same source from `offset` on, counted from its beginning.
    pub(super) fn part(&self, offset: u64, length: u64) -> Extent {
        Extent::new(Arc::clone(&self.source), offset, length)
    }

    /// Skips the next `count` bytes.
    pub(super) fn skip(&mut self, count: u64) {
        self.at = self.at.saturating_add(count).min(self.end);
    }

    /// How many bytes are left to read.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.end - self.at
    }

    /// A reader of all that is left, for one that reads it to the end: it may read ahead.
    #[must_use]
    pub fn read_through(self) -> Box<dyn Read + Send> {
        let ahead = Arc::clone(&self.source).read_ahead(self.at..self.end);
        ahead.unwrap_or_else(|| Box::new(self))
    }
}

impl Read for Extent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = usize::try_from(self.remaining())
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self.source.read_at(&mut buffer[..limit], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
