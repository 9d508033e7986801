//! Detects what an input is from its first bytes. Its name is ignored.

use std::io::Read;

use super::compression::{Compression, decompressed};
use super::inflate::read_block;

/// The kinds of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// A backup archive: a tar, which may be compressed as a whole.
    Archive(Compression),
    /// Anything else: it can only be a dump.
    Other(Compression),
    /// An input that is compressed twice.
    Twice,
}

/// So many bytes are enough to detect the kind.
pub const SNIFF_BYTES: usize = 4096;

/// Offset and bytes of the magic of a tar (POSIX.1-1988, ustar).
const MAGIC: (usize, &[u8]) = (257, b"ustar");

/// So many decompressed bytes show whether it is a tar: the first header.
const HEADER_BYTES: usize = 512;

/// The kind of the input that begins with `start`.
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

/// The first decompressed bytes of an input that begins with `start`.
fn beginning(start: &[u8], compression: Compression) -> Vec<u8> {
    let mut inside = vec![0; HEADER_BYTES];
    let mut count = 0;
    let mut reader = decompressed(start, compression);
    // The start of a file ends too early, and may be damaged: the bytes before that count.
    while let Ok(more @ 1..) = reader.read(&mut inside[count..]) {
        count += more;
    }
    inside.truncate(count);
    inside
}

/// The first bytes of `reader`, and a reader of all of it. It reads no more than it needs to detect the kind, since a
/// pipe may be slow.
pub fn sniff<R: Read>(mut reader: R) -> std::io::Result<(Vec<u8>, impl Read)> {
    let mut start = vec![0; SNIFF_BYTES];
    let mut count = read_block(&mut reader, &mut start)?;
    let needed = Compression::of(&start[..count]).first_block_bytes();
    if needed > count && count == SNIFF_BYTES {
        start.resize(needed, 0);
        count += read_block(&mut reader, &mut start[count..])?;
    }
    start.truncate(count);
    Ok((start.clone(), std::io::Cursor::new(start).chain(reader)))
}
