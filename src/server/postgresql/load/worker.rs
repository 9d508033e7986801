//! A worker: one connection that takes tasks from the queue until there are none.

use std::io::Write;
use std::sync::Arc;

use postgres::Client;
use postgres::error::SqlState;

use super::staging::LockHolder;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::pipeline::planned_rows::{PlannedRows, TranscodedRows};
use crate::pipeline::work_queue::{IndexBuild, Task, WorkQueue};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::options::ConnectionOptions;
use crate::server::postgresql::statement::one_statement;

/// Works, as one of `jobs`, until the queue is closed and empty, or a worker fails.
pub(crate) fn work(
    target: &ConnectionOptions,
    holder: LockHolder,
    jobs: usize,
    queue: &WorkQueue,
) -> Result<()> {
    let mut client = target.connect_for_loading(jobs, holder)?;
    let canceller = target.canceller(&client);
    queue.add_canceller(move || canceller.cancel());
    let mut buffer = Vec::new();
    while let Some(task) = queue.take()? {
        match task {
            Task::Rows(rows) => copy(&mut client, queue, rows, &mut buffer)?,
            Task::Index(build) => run_build(&mut client, queue, build)?,
        }
    }
    Ok(())
}

fn run_build(client: &mut Client, queue: &WorkQueue, build: IndexBuild) -> Result<()> {
    let doing = || failure(format!("build the index {} of {}", build.name, build.table));
    let mut run = |statements: &[String]| {
        statements
            .iter()
            .try_for_each(|statement| one_statement(client, statement))
    };
    failpoint::reached("index to be built");
    match (run(&build.statements), build.fallback) {
        (Err(cause), Some((instead, note)))
            if cause.code() == Some(&SqlState::PROGRAM_LIMIT_EXCEEDED) =>
        {
            queue.note(note);
            run(&instead).map_err(doing())?;
        }
        (done, _) => done.map_err(doing())?,
    }
    failpoint::reached("index built");
    Ok(())
}

/// COPYs `first`, and further chunks as long as the queue has some ready for the same table.
fn copy(
    client: &mut Client,
    queue: &WorkQueue,
    first: PlannedRows,
    buffer: &mut Vec<u8>,
) -> Result<()> {
    let (table, copy) = (first.table, Arc::clone(&first.statement));
    let name = first.chunk.insert.table.clone();
    let doing = || format!("load {name}");
    failpoint::reached("rows to be copied");
    let mut writer = client.copy_in(&*copy).map_err(failure(doing()))?;
    let mut done = TranscodedRows::default();
    let mut chunks = 0;
    let format = first.plan.format;
    let mut next = Some(first);
    buffer.clear();
    buffer.extend_from_slice(format.head());
    while let Some(rows) = next {
        rows.transcode(buffer, &mut done)?;
        queue.give_back(rows.chunk.bytes);
        chunks += 1;
        next = queue.take_more(&copy)?;
        if next.is_none() {
            buffer.extend_from_slice(format.tail());
        }
        if let Err(cause) = writer.write_all(buffer) {
            // The server's error comes at the end of the COPY, if the server can still send it.
            let cause = writer.finish().err().map_or_else(
                || Error::target(format!("cannot {}: {cause}", doing())).caused_by(cause),
                failure(doing()),
            );
            return Err(cause);
        }
        buffer.clear();
    }
    failpoint::reached("rows copied");
    let copied = writer.finish().map_err(failure(doing()))?;
    if copied != done.rows {
        return Err(Error::failed(format!(
            "{name}: {} rows were sent, but the server took {copied}",
            done.rows
        )));
    }
    queue.committed(table, chunks, &done);
    failpoint::reached("rows committed");
    Ok(())
}
