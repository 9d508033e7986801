//! COPYs chunks of rows into a staged table.

use std::io::Write;
use std::sync::Arc;

use postgres::{Client, CopyInWriter};
use tracing::trace;

use super::staged_tables::StagedTables;
use crate::error::{Error, Place, Result};
use crate::failpoint;
use crate::pipeline::planned_rows::{PlannedRows, TranscodedRows};
use crate::pipeline::row_places::{MAX_ROWS, RowPlaces};
use crate::pipeline::work_queue::WorkQueue;
use crate::resources::{MAX_SPARE_BYTES, clear};
use crate::rows::Widening;
use crate::server::postgresql::error::{copied_line, failed_stream, failure, refused_value};

/// COPYs `first`, and further chunks as long as the queue has some ready for the same table. A value that does not fit
/// into the type of its column gives the column a wider type.
pub(crate) fn copy(
    client: &mut Client,
    queue: &WorkQueue,
    tables: &StagedTables,
    first: PlannedRows,
    buffer: &mut Vec<u8>,
) -> Result<()> {
    let table = first.table;
    let mut next = Some(first);
    while let Some(rows) = next {
        let widenings = queue.begin_rows(table)?;
        let ended = copy_some(client, queue, &widenings, rows, buffer);
        queue.end_rows(table);
        next = match ended? {
            None => None,
            Some((rows, widening)) => {
                queue.widen(table, &widening, || tables.widen(client, table, &widening))?;
                Some(rows)
            }
        };
    }
    Ok(())
}

/// One COPY. Returns the chunk that was not sent, if one of its values needs a widening.
fn copy_some(
    client: &mut Client,
    queue: &WorkQueue,
    widenings: &[Widening],
    first: PlannedRows,
    buffer: &mut Vec<u8>,
) -> Result<Option<(PlannedRows, Widening)>> {
    let (table, copy) = (first.table, Arc::clone(&first.statement));
    let name = first.chunk.insert.table.clone();
    let doing = || format!("load {name}");
    failpoint::reached("rows to be copied");
    let mut writer = client.copy_in(&*copy).map_err(failure(doing()))?;
    let mut done = TranscodedRows {
        places: Some(RowPlaces::default()),
        ..TranscodedRows::default()
    };
    let mut chunks = 0;
    let format = first.plan.format;
    let mut next = Some(first);
    let mut misfit = None;
    buffer.clear();
    buffer.extend_from_slice(format.head());
    while let Some(rows) = next {
        next = None;
        if let Some(widening) = rows.transcode(widenings, buffer, &mut done)? {
            misfit = Some((rows, widening));
        } else {
            queue.give_back(rows.chunk.bytes);
            chunks += 1;
            if done.places.as_ref().map_or(0, RowPlaces::rows) < MAX_ROWS {
                next = queue.take_more(&copy)?;
            }
        }
        if next.is_none() {
            buffer.extend_from_slice(format.tail());
        }
        // The client keeps a buffer of the size of the largest message.
        let mut pieces = buffer.chunks(MAX_SPARE_BYTES);
        if let Err(cause) = pieces.try_for_each(|piece| writer.write_all(piece)) {
            return Err(cannot_send(writer, &name, &done, cause));
        }
        clear(buffer);
    }
    failpoint::reached("rows copied");
    let copied = writer
        .finish()
        .map_err(|cause| refused(&name, &done, cause))?;
    if copied != done.rows {
        return Err(Error::failed(format!(
            "{name}: {} rows were sent, but the server took {copied}",
            done.rows
        )));
    }
    trace!(rows = done.rows, chunks, "rows committed");
    queue.committed(table, chunks, &done);
    failpoint::reached("rows committed");
    Ok(misfit)
}

/// The error for rows that cannot be sent. The server's error comes at the end of the COPY, if the server can still send
/// it.
fn cannot_send(
    writer: CopyInWriter<'_>,
    name: &str,
    done: &TranscodedRows,
    cause: std::io::Error,
) -> Error {
    match writer.finish() {
        Err(cause) => refused(name, done, cause),
        Ok(_) => failed_stream(format!("load {name}"), cause),
    }
}

/// The error for rows that the server refuses, with the place of the row in the dump if the server names it.
fn refused(name: &str, done: &TranscodedRows, cause: postgres::Error) -> Error {
    let found = copied_line(&cause).and_then(|(line, column)| {
        let place = done.places.as_ref()?.of_line(line)?;
        Some((place, column))
    });
    let Some((place, column)) = found else {
        return failure(format!("load {name}"))(cause);
    };
    refused_value(cause).at_place(Place {
        name: name.to_owned(),
        row: Some(place),
        column,
    })
}
