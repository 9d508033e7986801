//! The workers that take tasks from a queue, each in a thread with its own session.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::work_queue::WorkQueue;
use crate::error::{Error, Result};
use crate::ui::counts::Counts;

/// How often to check whether the workers have finished.
const PATIENCE: Duration = Duration::from_millis(10);

/// A queue and its workers. If it is dropped early, it stops the workers.
pub(crate) struct WorkerPool {
    pub(crate) queue: Arc<WorkQueue>,
    workers: Vec<JoinHandle<()>>,
}

impl WorkerPool {
    /// A pool without workers, with a queue for at most `chunks`.
    pub(crate) fn new(chunks: usize, counts: Counts) -> WorkerPool {
        WorkerPool {
            queue: Arc::new(WorkQueue::new(chunks, counts)),
            workers: Vec::new(),
        }
    }

    /// Starts a worker that runs `work`. Its failure stops all workers.
    pub(crate) fn start_worker(
        &mut self,
        work: impl FnOnce(&Arc<WorkQueue>) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let queue = Arc::clone(&self.queue);
        let span = tracing::Span::current();
        let worker = std::thread::Builder::new()
            .name(format!("load-{}", self.workers.len()))
            .spawn(move || {
                let _in = span.entered();
                if let Err(error) = work(&queue) {
                    queue.fail(error);
                }
            })
            .map_err(|cause| {
                Error::failed(format!("cannot start a thread: {cause}")).caused_by(cause)
            })?;
        self.workers.push(worker);
        Ok(())
    }

    /// Marks the end of the input, and waits for the workers. If `is_stopped` returns true, the running
    /// statements are cancelled.
    pub(crate) fn finish(&mut self, is_stopped: &dyn Fn() -> bool) -> Result<()> {
        self.queue.close();
        while self.workers.iter().any(|worker| !worker.is_finished()) {
            if is_stopped() {
                self.queue.fail(Error::interrupted());
            }
            if self.queue.failure().is_some() {
                self.queue.cancel_all();
            }
            std::thread::sleep(PATIENCE);
        }
        self.join()
    }

    fn join(&mut self) -> Result<()> {
        if self.queue.failure().is_some() {
            self.queue.cancel_all();
        }
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                self.queue
                    .fail(Error::failed("a worker of the load crashed"));
            }
        }
        self.queue.failure().map_or(Ok(()), Err)
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        if !self.workers.is_empty() {
            self.queue.fail(Error::failed("the load was stopped"));
            let _ = self.join();
        }
    }
}
