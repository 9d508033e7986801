//! Rows of a dump, with their plan for the transcoding.

use std::sync::Arc;

use crate::dump::RowChunk;
use crate::error::{Error, Place, Result};
use crate::rows::contents::Contents;
use crate::rows::{Digest, RowError, Tally, TranscodePlan, transcode};

/// Rows as they are in the dump, with their plan. The receiver transcodes them, so that several threads can
/// work at the same time.
#[derive(Debug)]
pub struct PlannedRows {
    /// The number of the table, in the order of the dump.
    pub table: usize,
    /// The statement that loads them: COPY, LOAD DATA or INSERT.
    pub statement: Arc<str>,
    /// The plan for their columns.
    pub plan: Arc<TranscodePlan>,
    /// The rows.
    pub chunk: RowChunk,
}

/// The results of transcoded rows.
#[derive(Debug, Clone, Default)]
pub struct TranscodedRows {
    /// The number of rows.
    pub rows: u64,
    /// The changes of values.
    pub tally: Tally,
    /// Their checksum, if they were hashed.
    pub contents: Contents,
}

impl PlannedRows {
    /// Appends the rows to `out`, in the format of their plan. Counts them in `done`, and hashes them if the
    /// plan says so.
    pub fn transcode(&self, out: &mut Vec<u8>, done: &mut TranscodedRows) -> Result<()> {
        let (plan, chunk, before) = (&self.plan, &self.chunk, out.len());
        done.rows += transcode(plan, &chunk.bytes, chunk.first_row, out, &mut done.tally)
            .map_err(|error| placed(chunk, error))?;
        if let Some(layout) = &plan.layout {
            let mut digest = Digest::default();
            digest.add(layout, &out[before..]);
            done.contents.add(layout, digest);
        }
        Ok(())
    }
}

/// Adds the place in the dump to the error.
#[must_use]
pub fn placed(chunk: &RowChunk, error: RowError) -> Error {
    let row = chunk.first_row + error.row;
    let byte = chunk.offset + error.at as u64;
    let placed = Error::failed(error.message).at_place(Place {
        name: chunk.insert.table.clone(),
        row: Some((row, byte)),
        column: error.column,
    });
    match error.hint {
        Some(hint) => placed.hint(hint),
        None => placed,
    }
}
