//! Chunks of rows as they will be written.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use super::gzip;
use crate::error::{Error, Result};
use crate::pipeline::planned_rows::{PlannedRows, TranscodedRows};
use crate::rows::Widening;

/// How much a converted dump is compressed.
const LEVEL: u32 = 3;

/// The columns that have got a wider type, by the number of their table.
#[derive(Debug, Default)]
pub(super) struct Widened(Vec<Vec<Widening>>);

impl Widened {
    /// Those of the table with this number.
    pub(super) fn of(&self, table: usize) -> &[Widening] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add(&mut self, table: usize, widening: Widening) {
        if self.0.len() <= table {
            self.0.resize_with(table + 1, Vec::new);
        }
        self.0[table].push(widening);
    }
}

/// A chunk as it will be written.
pub(super) struct Transcoded {
    pub(super) rows: PlannedRows,
    pub(super) lines: Vec<u8>,
    pub(super) done: TranscodedRows,
    /// The count of widenings that its plan had.
    pub(super) widenings: usize,
    /// A value needs one more; nothing was transcoded.
    pub(super) misfit: Option<Widening>,
}

/// The transcoded `rows`, in the buffer `lines`.
pub(super) fn transcoded(
    rows: PlannedRows,
    mut lines: Vec<u8>,
    compressed: bool,
    widened: &Mutex<Widened>,
) -> Result<Transcoded> {
    let lock = || widened.lock().unwrap_or_else(PoisonError::into_inner);
    let widenings = lock().of(rows.table).to_vec();
    let mut done = TranscodedRows::default();
    lines.clear();
    let misfit = rows.transcode(&widenings, &mut lines, &mut done)?;
    if compressed && misfit.is_none() {
        lines = packed(&lines, compressed)?.into_owned();
    }
    Ok(Transcoded {
        rows,
        lines,
        done,
        widenings: widenings.len(),
        misfit,
    })
}

/// `bytes`, compressed if the dump is.
pub(super) fn packed(bytes: &[u8], compressed: bool) -> Result<Cow<'_, [u8]>> {
    if !compressed {
        return Ok(bytes.into());
    }
    Ok(gzip::stream(bytes, LEVEL).map_err(cannot_write)?.into())
}

pub(super) fn cannot_write(cause: std::io::Error) -> Error {
    Error::of_io(cause, &"write the dump")
}
