//! Tells by its first bytes what an input is, whatever its name says.

use std::io::Read;

use super::compression::{Compression, decompressed};
use super::inflate::{BLOCK_BYTES, read_block};

/// What an input can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// A backup archive: a tar, maybe compressed as a whole.
    Archive(Compression),
    /// Anything else: a dump, if it is good for anything.
    Other(Compression),
    /// What is compressed twice.
    Twice,
}

/// How many bytes are enough to tell.
pub const SNIFF_BYTES: usize = 4096;

/// How many where it is Zstandard: a block of it, which has to be there as a whole, is up to 128 KiB
/// (RFC 8878, 3.1.1.2.4).
const ZSTD_SNIFF_BYTES: usize = BLOCK_BYTES;

/// Where a tar has its magic (POSIX.1-1988, ustar), and what it is.
const MAGIC: (usize, &[u8]) = (257, b"ustar");

/// How much of what is in it shows whether it is a tar: the first header.
const HEADER_BYTES: usize = 512;

/// What the input that begins with `start` is.
#[must_use]
pub fn kind_of_input(start: &[u8]) -> InputKind {
    let compression = Compression::of(start);
    let inside = beginning(start, compression);
    if is_tar(&inside) {
        InputKind::Archive(compression)
    } else if compression != Compression::None && Compression::of(&inside) != Compression::None {
        InputKind::Twice
    } else {
        InputKind::Other(compression)
    }
}

fn is_tar(start: &[u8]) -> bool {
    let rest = start.get(MAGIC.0..);
    rest.is_some_and(|rest| rest.starts_with(MAGIC.1))
}

/// The first bytes of what is in an input that begins with `start`.
fn beginning(start: &[u8], compression: Compression) -> Vec<u8> {
    let mut inside = vec![0; HEADER_BYTES];
    let mut count = 0;
    let mut reader = decompressed(start, compression);
    // What is damaged, or ends too early as the start of a file does: what came before counts.
    while let Ok(more @ 1..) = reader.read(&mut inside[count..]) {
        count += more;
    }
    inside.truncate(count);
    inside
}

/// The first bytes of `reader`, no more than tell what it is, and a reader of all of it: a pipe may
/// take its time with the rest.
pub fn sniff<R: Read>(mut reader: R) -> std::io::Result<(Vec<u8>, impl Read)> {
    let mut start = vec![0; SNIFF_BYTES];
    let mut count = read_block(&mut reader, &mut start)?;
    if Compression::of(&start[..count]) == Compression::Zstd {
        start.resize(ZSTD_SNIFF_BYTES, 0);
        count += read_block(&mut reader, &mut start[count..])?;
    }
    start.truncate(count);
    Ok((start.clone(), std::io::Cursor::new(start).chain(reader)))
}
