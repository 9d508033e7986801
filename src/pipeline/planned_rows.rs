//! Rows of a dump, with their plan for the transcoding.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::needed_policies::that_need_a_policy;
use super::row_places::RowPlaces;
use crate::dump::{HeldMemory, RowChunk};
use crate::error::{Error, Place, Result};
use crate::rows::contents::Contents;
use crate::rows::{Digest, RowError, Tally, TranscodePlan, Widening, transcode};

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
    /// Their places in the dump, if that is wanted.
    pub places: Option<RowPlaces>,
    /// The memory of those that are large, until their results are dropped.
    pub held: Vec<HeldMemory>,
}

impl PlannedRows {
    /// Appends the rows to `out`, in the format of their plan after `widenings`. Counts them in `done`, and hashes them if
    /// the plan says so. If a value needs one more widening, this is returned, and `out` and `done` are unchanged.
    pub fn transcode(
        &self,
        widenings: &[Widening],
        out: &mut Vec<u8>,
        done: &mut TranscodedRows,
    ) -> Result<Option<Widening>> {
        let (chunk, before) = (&self.chunk, out.len());
        let widened = (!widenings.is_empty()).then(|| self.plan.widened(widenings));
        let plan = widened.as_ref().unwrap_or(&self.plan);
        let mut tally = if done.places.is_some() {
            Tally::with_starts()
        } else {
            Tally::default()
        };
        match transcode(plan, &chunk.bytes, chunk.first_row, out, &mut tally) {
            Ok(rows) => done.rows += rows,
            Err(error) => {
                out.truncate(before);
                return match widening(chunk, &error) {
                    Some(widening) => Ok(Some(widening)),
                    None => Err(refused(chunk, plan, error, out)),
                };
            }
        }
        if let Some(places) = &mut done.places {
            places.add(chunk, tally.take_starts());
        }
        done.tally.merge(&tally);
        done.held
            .extend(chunk.held.is_some().then(|| chunk.held.clone()));
        if let Some(layout) = &plan.layout {
            let mut digest = Digest::default();
            digest.add(layout, &out[before..]);
            done.contents.add(layout, digest);
        }
        Ok(None)
    }
}

/// The widening that the value of `error` needs, if there is one.
fn widening(chunk: &RowChunk, error: &RowError) -> Option<Widening> {
    Some(Widening {
        to: error.wider?,
        column: error.column.clone()?,
        row: chunk.first_row + error.row,
    })
}

/// The error for a value of `chunk` that `plan` refuses. It names the other columns that need a policy, if this one does.
fn refused(chunk: &RowChunk, plan: &TranscodePlan, error: RowError, out: &mut Vec<u8>) -> Error {
    let others = match (&error.column, error.hint) {
        (Some(column), Some(_)) => that_need_a_policy(chunk, plan, column, out),
        _ => BTreeMap::new(),
    };
    let hint = error.hint;
    let error = placed(chunk, error);
    let Some(hint) = hint.filter(|_| !others.is_empty()) else {
        return error;
    };
    let others = others
        .iter()
        .map(|(column, what)| format!("{column} ({what})"));
    let others = others.collect::<Vec<_>>().join(", ");
    error.hint(format!(
        "{hint}; these columns of the table need a policy, too: {others}"
    ))
}

/// Adds the place in the dump to the error.
#[must_use]
pub fn placed(chunk: &RowChunk, error: RowError) -> Error {
    let row = chunk.first_row + error.row;
    let byte = chunk.offset + error.at as u64;
    let placed = Error::failed(error.message)
        .withholding(format!("found {}", error.found))
        .at_place(Place {
            name: chunk.insert.table.clone(),
            row: Some((row, byte)),
            column: error.column,
        });
    match error.hint {
        Some(hint) => placed.hint(hint),
        None => placed,
    }
}
