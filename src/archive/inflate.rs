//! Inflates a member that is compressed with gzip (RFC 1952), one or several streams in a row.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use flate2::bufread::GzDecoder;

use super::inflation_limit::{Limit, inflation_failure};
use crate::error::{Error, Result};

/// The size of a block, compressed and inflated.
pub const BLOCK_BYTES: usize = 256 * 1024;

/// A reader of what `compressed` inflates to. It checks checksum and length of each stream when it reads the end.
/// Zeros after the last stream are padding, as for gzip(1): tapes and blocks have it.
pub fn inflated<R: Read>(compressed: R) -> impl Read {
    let buffered = BufReader::with_capacity(BLOCK_BYTES, compressed);
    Inflated::In(Box::new(GzDecoder::new(buffered)))
}

/// See [`inflated`].
enum Inflated<R> {
    /// In a stream.
    In(Box<GzDecoder<R>>),
    /// In the zeros after the last stream.
    Padding(R),
    /// Moving from one state to the next.
    Ended,
}

impl<R: BufRead> Read for Inflated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self {
                Inflated::In(stream) => match stream.read(buffer)? {
                    0 if next_byte(stream.get_mut())?.is_none() => return Ok(0),
                    0 => {}
                    count => return Ok(count),
                },
                Inflated::Padding(padding) => return pass_zeros(padding).map(|()| 0),
                Inflated::Ended => return Ok(0),
            }
            if let Inflated::In(stream) = std::mem::replace(self, Inflated::Ended) {
                let mut rest = stream.into_inner();
                *self = match next_byte(&mut rest)? {
                    Some(0) => Inflated::Padding(rest),
                    _ => Inflated::In(Box::new(GzDecoder::new(rest))),
                };
            }
        }
    }
}

/// The next byte, which stays there; none at the end.
fn next_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        match reader.fill_buf() {
            Ok(bytes) => return Ok(bytes.first().copied()),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
}

/// Reads to the end; everything before it must be zeros.
fn pass_zeros(reader: &mut impl BufRead) -> io::Result<()> {
    while next_byte(reader)?.is_some() {
        let bytes = reader.fill_buf()?;
        if bytes.iter().any(|byte| *byte != 0) {
            let text = "other bytes follow the zeros after the gzip stream";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let count = bytes.len();
        reader.consume(count);
    }
    Ok(())
}

/// Whether `compressed` is intact and inflates to nothing.
pub fn is_empty_gzip(compressed: impl Read) -> bool {
    matches!(inflated(compressed).read(&mut [0]), Ok(0))
}

/// As [`inflated`], with an error as soon as more than 512 MiB came of less than a `ratio`th of that.
pub fn inflated_within<R: Read>(compressed: R, ratio: u32) -> impl Read {
    Limit::of_data(ratio).keep(compressed, inflated)
}

/// The error for `member` if it cannot be read after `at` inflated bytes.
#[must_use]
pub fn read_failure(member: &str, at: u64, cause: &io::Error) -> Error {
    if let Some(error) = inflation_failure(member, cause) {
        return error;
    }
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

/// Fills `block` as far as the reader has bytes; returns 0 only at its end.
pub fn read_block(reader: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    match fill(reader, block) {
        (count, None) => Ok(count),
        (_, Some(error)) => Err(error),
    }
}

/// As [`read_block`], but also returns how much was read before an error.
fn fill(reader: &mut dyn Read, block: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < block.len() {
        match reader.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

/// [`read_ahead`] reads so many blocks in advance.
const BLOCKS_AHEAD: usize = 4;

/// Reads `reader` in large blocks, while a second thread runs `take` on them: inflating never waits for the work on
/// the bytes.
pub fn read_ahead<T: Send>(
    reader: &mut dyn Read,
    take: impl FnOnce(&mut dyn Read) -> Result<T> + Send,
) -> Result<T> {
    let (send, blocks) = sync_channel(BLOCKS_AHEAD);
    let (give_back, spares) = channel();
    std::thread::scope(|scope| {
        let taking = scope.spawn(move || {
            take(&mut Ahead {
                blocks,
                give_back,
                block: Vec::new(),
                at: 0,
            })
        });
        loop {
            let mut block: Vec<u8> = spares.try_recv().unwrap_or_default();
            block.resize(BLOCK_BYTES, 0);
            let (count, error) = fill(reader, &mut block);
            block.truncate(count);
            let at_end = count == 0 || error.is_some();
            let mut taken = count == 0 || send.send(Ok(block)).is_ok();
            if let Some(error) = error {
                taken &= send.send(Err(error)).is_ok();
            }
            // The work has ended early, and needs no more blocks.
            if at_end || !taken {
                break;
            }
        }
        // A read after the end, or after an error, must not wait.
        drop(send);
        taking
            .join()
            .unwrap_or_else(|_| Err(Error::failed("working on what was inflated crashed")))
    })
}

/// The reader of the blocks that were read in advance.
struct Ahead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    give_back: Sender<Vec<u8>>,
    block: Vec<u8>,
    at: usize,
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            // An empty block is the end, and so is a closed channel.
            let next = self.blocks.recv().unwrap_or(Ok(Vec::new()))?;
            let _ = self
                .give_back
                .send(std::mem::replace(&mut self.block, next));
            self.at = 0;
        }
        let count = buffer.len().min(self.block.len() - self.at);
        buffer[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Reads `reader` to its end. `take` gets each block, and may return its buffer for reuse.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `good` bytes, then an error.
    struct Failing {
        good: usize,
    }

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.good == 0 {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let count = self.good.min(buffer.len());
            self.good -= count;
            Ok(count)
        }
    }

    #[test]
    fn reading_ahead_gives_everything_and_then_the_error() {
        let good = 3 * BLOCK_BYTES + 17;
        let read = read_ahead(&mut Failing { good }, |reader| {
            let mut all = Vec::new();
            let error = reader.read_to_end(&mut all).expect_err("it fails");
            // Behind the error there is nothing, and nobody waits.
            assert_eq!(reader.read(&mut [0]).expect("an end"), 0);
            Ok((all.len(), error.kind()))
        });
        assert_eq!(read.unwrap(), (good, io::ErrorKind::InvalidData));
    }

    #[test]
    fn who_ends_early_stops_the_reading() {
        let taken = read_ahead(&mut io::repeat(b'x'), |reader| {
            let mut some = [0; 10];
            reader.read_exact(&mut some).expect("there is enough");
            Ok(some)
        });
        assert_eq!(taken.unwrap(), [b'x'; 10]);
        let end = read_ahead(&mut io::empty(), |reader| {
            Ok([0, 0].map(|_| reader.read(&mut [0]).expect("an end")))
        });
        assert_eq!(end.unwrap(), [0, 0]);
    }
}
