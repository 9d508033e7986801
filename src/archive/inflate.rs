//! Inflates a member that is compressed with gzip (RFC 1952), one or several streams in a row.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};

/// How many bytes are read at a time, compressed and inflated.
pub const BLOCK_BYTES: usize = 256 * 1024;

/// A reader of what `compressed` inflates to. Checksum and length of each stream are checked when
/// its end is read.
pub fn inflated<R: Read>(compressed: R) -> impl Read {
    MultiGzDecoder::new(BufReader::with_capacity(BLOCK_BYTES, compressed))
}

/// The error for `member` when reading it fails after `at` inflated bytes.
#[must_use]
pub fn read_failure(member: &str, at: u64, cause: &io::Error) -> Error {
    let what = match cause.kind() {
        io::ErrorKind::UnexpectedEof => "it is truncated".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            format!("it is damaged ({cause})")
        }
        _ => return Error::failed(format!("{member}: cannot be read: {cause}")),
    };
    Error::archive(format!("{member}: {what} at inflated byte {at}"))
        .hint("copy the archive again, or make the backup again")
}

/// Fills as much of `block` as the reader has; 0 only at its end.
pub fn read_block(reader: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match reader.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads `reader` to its end, block by block, into buffers that `take` gets and may give back.
pub fn for_each_block(
    member: &str,
    reader: &mut dyn Read,
    mut take: impl FnMut(Vec<u8>) -> Result<Option<Vec<u8>>>,
) -> Result<u64> {
    let mut total = 0;
    let mut spare: Option<Vec<u8>> = None;
    loop {
        let mut block = spare.take().unwrap_or_default();
        block.resize(BLOCK_BYTES, 0);
        let count =
            read_block(reader, &mut block).map_err(|cause| read_failure(member, total, &cause))?;
        if count == 0 {
            return Ok(total);
        }
        total += count as u64;
        block.truncate(count);
        spare = take(block)?;
    }
}
