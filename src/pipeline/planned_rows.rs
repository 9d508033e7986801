//! Rows of a dump together with how they are transcoded.

use std::sync::Arc;

use crate::dump::RowChunk;
use crate::error::{Error, Place};
use crate::rows::{Plan, RowError};

/// Rows as they are in the dump, and how to transcode them. Whoever takes them transcodes them, so that
/// many threads can do it at the same time.
#[derive(Debug)]
pub struct PlannedRows {
    /// The number of the table, in the order of the dump.
    pub table: usize,
    /// The statement that loads them: COPY, LOAD DATA or INSERT.
    pub statement: Arc<str>,
    /// What their columns need.
    pub plan: Arc<Plan>,
    /// The rows.
    pub chunk: RowChunk,
}

/// The error with its place in the dump.
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
