//! The workers that take what is on a board, each a thread with a session of its own.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::work_queue::Board;
use crate::error::{Error, Result};

/// How often it is looked at whether the workers have finished.
const PATIENCE: Duration = Duration::from_millis(10);

/// A board and its workers. Dropped before they have finished, it stops them.
pub(crate) struct Crew {
    pub(crate) board: Arc<Board>,
    workers: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Nobody yet, at a board on which at most `chunks` wait.
    pub(crate) fn new(chunks: usize) -> Crew {
        Crew {
            board: Arc::new(Board::new(chunks)),
            workers: Vec::new(),
        }
    }

    /// Has another worker do `work`. If that fails, so do all.
    pub(crate) fn hire(
        &mut self,
        work: impl FnOnce(&Arc<Board>) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let board = Arc::clone(&self.board);
        let worker = std::thread::Builder::new()
            .name(format!("load-{}", self.workers.len()))
            .spawn(move || {
                if let Err(error) = work(&board) {
                    board.fail(error);
                }
            })
            .map_err(|cause| {
                Error::failed(format!("cannot start a thread: {cause}")).caused_by(cause)
            })?;
        self.workers.push(worker);
        Ok(())
    }

    /// Says that nothing more will come, and waits until all is done. As soon as `is_stopped` says so,
    /// what still runs on the server is cancelled.
    pub(crate) fn finish(&mut self, is_stopped: &dyn Fn() -> bool) -> Result<()> {
        self.board.close();
        while self.workers.iter().any(|worker| !worker.is_finished()) {
            if is_stopped() {
                self.board.fail(Error::interrupted());
            }
            if self.board.failure().is_some() {
                self.board.cancel_all();
            }
            std::thread::sleep(PATIENCE);
        }
        self.join()
    }

    fn join(&mut self) -> Result<()> {
        if self.board.failure().is_some() {
            self.board.cancel_all();
        }
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                self.board
                    .fail(Error::failed("a worker of the load crashed"));
            }
        }
        self.board.failure().map_or(Ok(()), Err)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        if !self.workers.is_empty() {
            self.board.fail(Error::failed("the load was given up"));
            let _ = self.join();
        }
    }
}
