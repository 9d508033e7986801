//! The number of threads and connections, and the amount of data that may wait in memory.
//!
//! None of it depends on the size of an archive, a table or a trace. A row that is larger than a chunk needs a few times
//! its size, and has a limit.

pub mod heap;

use crate::archive::BLOCK_BYTES;
use crate::dump::{CHUNK_BYTES, DEFAULT_MEMORY, DumpLimits};
use crate::error::{Error, Result};

const MIB: usize = 1024 * 1024;

/// Buffers are reused up to this size. A buffer that a huge row has made larger is freed.
pub const MAX_SPARE_BYTES: usize = MIB;

/// The program, the inflation, and the blocks between threads.
const BASE_BYTES: usize = 30 * MIB;

/// Clears `buffer`, and frees it if a huge row has made it larger than what is kept for reuse.
pub fn clear(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > MAX_SPARE_BYTES {
        *buffer = Vec::new();
    }
}

/// A connection with its chunk, the transcoded rows, and the message with them.
const JOB_BYTES: usize = 2 * MIB;

/// A chunk is passed on when it is full, so it is somewhat larger.
const WAITING_CHUNK_BYTES: usize = CHUNK_BYTES + CHUNK_BYTES / 4;

/// Larger numbers do not make the import faster.
const CHUNKS_PER_JOB: usize = 4;
const BLOCKS_PER_WRITER: usize = 16;

/// The resources of an import or a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// The number of connections that load, and of threads that transcode or write traces.
    pub jobs: usize,
    /// The number of chunks that may wait to be loaded or written.
    pub chunks: usize,
    /// The number of blocks of traces, of at most [`BLOCK_BYTES`], that may wait for each writer.
    pub blocks_per_writer: usize,
    /// The limits of what is kept of a dump.
    pub dump: DumpLimits,
}

impl Resources {
    /// The resources of `jobs` within `mebibytes`. The default for `jobs` is one per CPU, from 2 to 16. The
    /// default budget is [`DEFAULT_MEMORY`], or more if the jobs need it.
    pub fn new(jobs: Option<u16>, mebibytes: Option<u64>) -> Result<Resources> {
        Resources::beside(0, jobs, mebibytes)
    }

    /// The same, if reading takes `reserved` bytes of the budget.
    pub fn beside(reserved: usize, jobs: Option<u16>, mebibytes: Option<u64>) -> Result<Resources> {
        let cpus = || {
            std::thread::available_parallelism()
                .map_or(2, usize::from)
                .clamp(2, 16)
        };
        let jobs = jobs.map_or_else(cpus, usize::from);
        let base = BASE_BYTES + reserved;
        let least = base + jobs * (JOB_BYTES + WAITING_CHUNK_BYTES + BLOCK_BYTES);
        let least = least.div_ceil(MIB);
        let given = mebibytes.map(|given| usize::try_from(given).unwrap_or(usize::MAX));
        if let Some(given) = given.filter(|given| *given < least) {
            return Err(
                Error::usage(format!("--memory {given} is too little for {jobs} jobs"))
                    .hint(format!("give at least {least} MiB, or fewer --jobs")),
            );
        }
        let budget = given.unwrap_or_else(|| DEFAULT_MEMORY.max(least));
        let rest = budget.saturating_mul(MIB) - base - jobs * JOB_BYTES;
        Ok(Resources {
            jobs,
            chunks: (rest / 2 / WAITING_CHUNK_BYTES).clamp(jobs, jobs * CHUNKS_PER_JOB),
            dump: DumpLimits::of_memory(budget - reserved / MIB),
            blocks_per_writer: (rest / 2 / BLOCK_BYTES / jobs).clamp(1, BLOCKS_PER_WRITER),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_kept_and_no_more_is_taken_than_helps() {
        let shared = |mebibytes, jobs| Resources::new(Some(jobs), mebibytes).unwrap();
        let most = Resources {
            jobs: 2,
            chunks: 8,
            blocks_per_writer: 16,
            dump: DumpLimits::of_memory(128),
        };
        assert_eq!(shared(None, 2), most);
        let dump = DumpLimits::of_memory(100_000);
        assert_eq!(shared(Some(100_000), 2), Resources { dump, ..most });
        assert_eq!(
            shared(Some(36), 2),
            Resources {
                jobs: 2,
                chunks: 3,
                blocks_per_writer: 2,
                dump: DumpLimits::of_memory(36),
            }
        );
        for given in 1..=64 {
            let Resources {
                jobs,
                chunks,
                blocks_per_writer,
                ..
            } = shared(None, given);
            let taken = BASE_BYTES
                + jobs * JOB_BYTES
                + chunks * WAITING_CHUNK_BYTES
                + jobs * blocks_per_writer * BLOCK_BYTES;
            assert!(taken <= 128 * MIB || jobs > 36, "{jobs}: {taken}");
            assert!(chunks >= jobs && blocks_per_writer >= 1);
        }
        let error = Resources::new(Some(2), Some(20)).unwrap_err();
        assert_eq!(error.to_string(), "--memory 20 is too little for 2 jobs");
        assert_eq!(
            error.hint_text(),
            Some("give at least 36 MiB, or fewer --jobs")
        );
    }
}
