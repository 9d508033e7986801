//! A worker: one connection that takes tasks from the queue until there are none.

use std::time::Instant;

use tracing::{debug, debug_span};

use super::copy::copy;
use super::indexes;
use super::settle::settle;
use super::staged_tables::StagedTables;
use super::staging::LockHolder;
use crate::error::Result;
use crate::pipeline::work_queue::{Task, WorkQueue};
use crate::server::postgresql::options::ConnectionOptions;

/// Works, as one of `jobs`, until the queue is closed and empty, or a worker fails.
pub(crate) fn work(
    target: &ConnectionOptions,
    holder: LockHolder,
    jobs: usize,
    queue: &WorkQueue,
    tables: &StagedTables,
) -> Result<()> {
    let mut client = target.connect_for_loading(jobs, holder)?;
    let canceller = target.canceller(&client);
    queue.add_canceller(move || canceller.cancel());
    let mut buffer = Vec::new();
    while let Some(task) = queue.take()? {
        match task {
            Task::Rows(rows) => {
                let _in = debug_span!("table", table = %rows.chunk.insert.table).entered();
                copy(&mut client, queue, tables, rows, &mut buffer)?;
            }
            Task::Settle(table) => settle(&mut client, queue, tables, table)?,
            Task::Index(build) => {
                let _in = debug_span!("table", table = %build.table).entered();
                let started = Instant::now();
                indexes::build(&mut client, queue, tables, &build)?;
                let seconds = started.elapsed().as_secs_f64();
                debug!(index = %build.name, seconds, "built");
                queue.built(build.of());
            }
        }
    }
    Ok(())
}
