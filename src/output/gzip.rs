//! Compresses with several threads. The result is a sequence of gzip streams, which every reader reads as one (RFC 1952,
//! 2.2).

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, sync_channel};

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// So many bytes are compressed at a time. Larger blocks compress hardly better, and there are several for each thread.
const BLOCK_BYTES: usize = 256 * 1024;

/// So many blocks for each thread are on their way.
const BLOCKS_PER_THREAD: usize = 2;

/// A block that is being compressed: it comes with its buffer, for reuse.
type Compressed = io::Result<(Vec<u8>, Vec<u8>)>;

/// A writer that compresses what is written to it.
pub(super) struct Gzip<W: Write> {
    out: W,
    level: u32,
    pool: ThreadPool,
    /// What is not yet a block.
    block: Vec<u8>,
    waiting: VecDeque<Receiver<Compressed>>,
    most_waiting: usize,
    spares: Vec<Vec<u8>>,
    has_written: bool,
}

impl<W: Write> Gzip<W> {
    /// One that writes to `out` with so many threads.
    pub(super) fn new(out: W, level: u32, threads: usize) -> io::Result<Gzip<W>> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("gzip-{number}"))
            // The writer that waits for the block sees the closed channel.
            .panic_handler(|_| ())
            .build()
            .map_err(io::Error::other)?;
        Ok(Gzip {
            out,
            level,
            pool,
            block: Vec::with_capacity(BLOCK_BYTES),
            waiting: VecDeque::new(),
            most_waiting: threads * BLOCKS_PER_THREAD,
            spares: Vec::new(),
            has_written: false,
        })
    }

    /// Compresses what is left. Returns the output.
    pub(super) fn finish(mut self) -> io::Result<W> {
        // Nothing at all is one empty stream.
        if !self.block.is_empty() || !self.has_written {
            self.compress();
        }
        while !self.waiting.is_empty() {
            self.write_oldest()?;
        }
        Ok(self.out)
    }

    /// Hands the block to a thread.
    fn compress(&mut self) {
        let next = self
            .spares
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(BLOCK_BYTES));
        let block = std::mem::replace(&mut self.block, next);
        let (send, done) = sync_channel(1);
        let level = self.level;
        self.pool
            .spawn(move || _ = send.send(compressed(block, level)));
        self.waiting.push_back(done);
        self.has_written = true;
    }

    fn write_oldest(&mut self) -> io::Result<()> {
        let Some(oldest) = self.waiting.pop_front() else {
            return Ok(());
        };
        let crashed = |_| io::Error::other("a thread that compresses crashed");
        let (bytes, block) = oldest.recv().map_err(crashed)??;
        self.spares.push(block);
        self.out.write_all(&bytes)
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        if self.block.len() == BLOCK_BYTES {
            if self.waiting.len() >= self.most_waiting {
                self.write_oldest()?;
            }
            self.compress();
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `block`, compressed, and its buffer.
fn compressed(mut block: Vec<u8>, level: u32) -> Compressed {
    let bytes = stream(&block, level)?;
    block.clear();
    Ok((bytes, block))
}

/// `bytes` as a gzip stream.
pub(super) fn stream(bytes: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(level));
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::MultiGzDecoder;

    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        for length in [0, 1, BLOCK_BYTES, BLOCK_BYTES + 1, 7 * BLOCK_BYTES + 12_345] {
            let bytes: Vec<u8> = (0..length)
                .map(|at| u8::try_from(at * at % 251).unwrap())
                .collect();
            let mut gzip = Gzip::new(Vec::new(), 1, 3).unwrap();
            for part in bytes.chunks(77_777) {
                gzip.write_all(part).unwrap();
            }
            let packed = gzip.finish().unwrap();
            let mut back = Vec::new();
            MultiGzDecoder::new(&packed[..])
                .read_to_end(&mut back)
                .unwrap();
            assert!(back == bytes, "{length}");
        }
    }
}
