//! Where the rows of a COPY are in the dump, for errors that the server finds.

use crate::dump::RowChunk;

/// A COPY or LOAD DATA ends when it has so many rows, because the place of each is kept: four bytes.
pub const MAX_ROWS: usize = 1_000_000;

/// The places of the rows of one COPY, in the order in which they were sent.
#[derive(Debug, Clone, Default)]
pub struct RowPlaces {
    chunks: Vec<ChunkPlaces>,
    rows: usize,
}

#[derive(Debug, Clone)]
struct ChunkPlaces {
    /// The number of its first row in the table, from 1.
    first_row: u64,
    /// Its offset in the dump, in bytes.
    offset: u64,
    /// Where its rows begin in it, in bytes.
    starts: Vec<u32>,
}

impl RowPlaces {
    /// Adds the rows of `chunk`, which begin at `starts`.
    pub fn add(&mut self, chunk: &RowChunk, starts: Vec<u32>) {
        self.rows += starts.len();
        self.chunks.push(ChunkPlaces {
            first_row: chunk.first_row,
            offset: chunk.offset,
            starts,
        });
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of a row in its table, and its offset in the dump in bytes. `line` is its number in the COPY, from 1.
    #[must_use]
    pub fn of_line(&self, line: usize) -> Option<(u64, u64)> {
        let mut rest = line.checked_sub(1)?;
        for chunk in &self.chunks {
            if let Some(start) = chunk.starts.get(rest) {
                let row = chunk.first_row + u64::try_from(rest).ok()?;
                return Some((row, chunk.offset + u64::from(*start)));
            }
            rest -= chunk.starts.len();
        }
        None
    }
}
