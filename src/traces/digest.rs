//! A checksum of traces that does not depend on their order: the sum of the hashes of all, each of
//! its path, its size and its content (XXH3, 128 bits).

use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use twox_hash::xxhash3_128;

use crate::archive::read_block;

/// The checksum of some traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TraceDigest(u128);

impl TraceDigest {
    /// Adds a trace.
    pub(super) fn add(&mut self, trace: u128) {
        self.0 = self.0.wrapping_add(trace);
    }

    /// Adds other traces.
    pub(super) fn merge(&mut self, other: TraceDigest) {
        self.add(other.0);
    }
}

/// The hash of one trace, piece by piece.
pub(super) struct TraceHasher {
    path: u128,
    bytes: u64,
    content: xxhash3_128::Hasher,
}

impl TraceHasher {
    /// Begins the hash of the trace at `path`, below the builds directory.
    pub(super) fn new(path: &Path) -> Self {
        TraceHasher {
            path: xxhash3_128::Hasher::oneshot(path.as_os_str().as_bytes()),
            bytes: 0,
            content: xxhash3_128::Hasher::new(),
        }
    }

    /// Adds the next bytes of its content.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.content.write(bytes);
    }

    /// Adds all bytes of `from`, which go through `block`. Returns how many there were.
    pub(super) fn read(&mut self, from: &mut dyn Read, block: &mut [u8]) -> io::Result<u64> {
        let before = self.bytes;
        loop {
            let count = read_block(from, block)?;
            if count == 0 {
                return Ok(self.bytes - before);
            }
            self.update(&block[..count]);
        }
    }

    /// The hash.
    pub(super) fn finish(&self) -> u128 {
        let parts = [
            self.path.to_le_bytes(),
            u128::from(self.bytes).to_le_bytes(),
            self.content.finish_128().to_le_bytes(),
        ];
        xxhash3_128::Hasher::oneshot(parts.as_flattened())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_all_the_same_and_nothing_else_is() {
        let trace = |path: &str, pieces: &[&str]| {
            let mut hasher = TraceHasher::new(Path::new(path));
            for piece in pieces {
                hasher.update(piece.as_bytes());
            }
            hasher.finish()
        };
        let sum = |traces: &[u128]| {
            let mut digest = TraceDigest::default();
            for trace in traces {
                digest.add(*trace);
            }
            digest
        };
        let (one, other) = (trace("a/1", &["xy", "z"]), trace("a/2", &[""]));
        assert_eq!(sum(&[one, other]), sum(&[other, one]));
        assert_eq!(one, trace("a/1", &["x", "yz"]));
        for changed in [trace("a/1", &["xyZ"]), trace("a/3", &["xyz"]), other] {
            assert_ne!(sum(&[one, other]), sum(&[changed, other]));
        }
    }
}
