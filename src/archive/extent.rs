//! A member of a seekable archive: a range of bytes in the file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Reads one range of a file without moving the file's own position, so several ranges can be
/// read at the same time.
#[derive(Debug, Clone)]
pub struct Extent {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Extent {
    /// The `length` bytes of `file` from `offset` on.
    #[must_use]
    pub fn new(file: Arc<File>, offset: u64, length: u64) -> Self {
        Extent {
            file,
            at: offset,
            end: offset.saturating_add(length),
        }
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
}

impl Read for Extent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = usize::try_from(self.remaining())
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self.file.read_at(&mut buffer[..limit], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
