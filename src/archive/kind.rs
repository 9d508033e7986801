//! Tells by its first bytes what an input is, whatever its name says.

use std::io::Read;

use super::inflate::{inflated, read_block};

/// What an input can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A backup archive: a tar.
    Archive,
    /// A dump compressed with gzip.
    CompressedDump,
    /// A compressed tar.
    CompressedArchive,
    /// Anything else: a dump, if it is good for anything.
    Plain,
}

/// How many bytes are enough to tell.
pub const SNIFF_BYTES: usize = 4096;

/// Where a tar has its magic (POSIX.1-1988, ustar), and what it is.
const MAGIC: (usize, &[u8]) = (257, b"ustar");

/// What the input that begins with `start` is.
#[must_use]
pub fn kind_of_input(start: &[u8]) -> Kind {
    if start
        .get(MAGIC.0..)
        .is_some_and(|rest| rest.starts_with(MAGIC.1))
    {
        return Kind::Archive;
    }
    if !start.starts_with(&[0x1f, 0x8b]) {
        return Kind::Plain;
    }
    let mut inside = [0; 512];
    // The start of a compressed file ends too early; what came before counts.
    let mut reader = inflated(start);
    let mut count = 0;
    while count < inside.len() {
        match reader.read(&mut inside[count..]) {
            Ok(more) if more > 0 => count += more,
            _ => break,
        }
    }
    match kind_of_input(&inside[..count]) {
        Kind::Archive => Kind::CompressedArchive,
        _ => Kind::CompressedDump,
    }
}

/// The first bytes of `reader`, and a reader of all of it.
pub fn sniff<R: Read>(mut reader: R) -> std::io::Result<(Vec<u8>, impl Read)> {
    let mut start = vec![0; SNIFF_BYTES];
    let count = read_block(&mut reader, &mut start)?;
    start.truncate(count);
    Ok((start.clone(), std::io::Cursor::new(start).chain(reader)))
}
