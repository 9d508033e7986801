//! Rows that wait for the end of their INSERT.

use crate::dump::events::RowChunk;

/// How the comment begins that Adminer's dumps begin with.
const ADMINER: &str = "Adminer ";

/// Adminer's INSERTs have at most 1 MiB, and its last row.
const MAX_WAITING_BYTES: usize = 4 << 20;

/// The chunks of the first INSERT of a table that wait for its end: only a clause there says whether its rows replace others.
#[derive(Debug, Default)]
pub(super) struct WaitingChunks {
    /// Whether the dump may have such clauses in long INSERTs.
    is_of_adminer: bool,
    is_open: bool,
    chunks: Vec<RowChunk>,
    bytes: usize,
}

impl WaitingChunks {
    /// A comment of the dump.
    pub(super) fn comment(&mut self, text: &str) {
        self.is_of_adminer |= text.starts_with(ADMINER);
    }

    /// An INSERT begins, which is the first of its table or not.
    pub(super) fn begin(&mut self, is_first: bool) {
        self.is_open = self.is_of_adminer && is_first;
    }

    /// Keeps `chunk`, which is not the last one of its INSERT, if it has to wait. Otherwise returns it.
    pub(super) fn keep(&mut self, chunk: RowChunk) -> Option<RowChunk> {
        let bytes = self.bytes + chunk.bytes.len();
        if !self.is_open || bytes > MAX_WAITING_BYTES {
            return Some(chunk);
        }
        self.bytes = bytes;
        self.chunks.push(chunk);
        None
    }

    /// The chunks that have waited. Those that follow do not.
    pub(super) fn end(&mut self) -> Vec<RowChunk> {
        self.is_open = false;
        self.bytes = 0;
        std::mem::take(&mut self.chunks)
    }
}
