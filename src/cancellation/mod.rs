//! Stops all parts of an import after a failure or a signal.

pub mod stop;

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Error, Kind, Result};

/// The signals that stop the program.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// How often waiting code checks whether to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// The number and size of the blocks read ahead from a pipe.
const PIPE_BLOCKS: usize = 8;
const PIPE_BLOCK_BYTES: usize = 64 * 1024;

/// The state of the stop: whether to stop, and why.
#[derive(Debug, Default)]
pub struct Cancellation {
    signalled: Arc<AtomicBool>,
    stopped: AtomicBool,
    cause: Mutex<Option<Error>>,
}

impl Cancellation {
    /// Stops on SIGINT, SIGTERM and SIGHUP. If the threads do not notice the signal, the process ends without them;
    /// a second signal ends it at once.
    pub fn on_signals() -> Result<Cancellation> {
        let cancellation = Cancellation::default();
        let failed = |cause: io::Error| {
            Error::failed(format!("cannot handle signals: {cause}")).caused_by(cause)
        };
        for signal in SIGNALS {
            let flag = Arc::clone(&cancellation.signalled);
            signal_hook::flag::register(signal, flag).map_err(failed)?;
        }
        let mut signals = Signals::new(SIGNALS).map_err(failed)?;
        std::thread::spawn(move || signals.forever().for_each(|_| stop::signalled()));
        Ok(cancellation)
    }

    /// Says that live data is changed from here on, until the process ends. An error if a signal came before.
    pub fn begin_change(&self) -> Result<()> {
        if stop::begin_change(|| self.is_signalled()) {
            return Ok(());
        }
        Err(Error::interrupted())
    }

    /// Runs one part of the work. Its failure stops the other parts. Returns the first failure of all parts.
    pub fn guard<T>(&self, part: impl FnOnce() -> Result<T>) -> Result<T> {
        part().map_err(|error| {
            let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
            self.stopped.store(true, Ordering::Relaxed);
            let first = cause.get_or_insert(error).clone();
            if self.is_signalled() && first.kind() != Kind::CutPublish {
                Error::interrupted()
            } else {
                first
            }
        })
    }

    /// An error after a signal.
    pub fn check(&self) -> Result<()> {
        if self.is_signalled() {
            Err(Error::interrupted())
        } else {
            Ok(())
        }
    }

    /// A reader that fails as soon as the work is stopped.
    pub fn watch<R: Read>(&self, reader: R) -> Watched<'_, R> {
        Watched {
            cancellation: self,
            reader,
        }
    }

    /// Runs `work`, which may block for long, in a thread. If the import is stopped, the thread is left alone
    /// and the result is none.
    pub fn wait_for<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = sync_channel(1);
        std::thread::spawn(move || sender.send(work()));
        loop {
            match receiver.recv_timeout(PATIENCE) {
                Ok(done) => return Some(done),
                Err(RecvTimeoutError::Timeout) if !self.is_stopped() => {}
                Err(_) => return None,
            }
        }
    }

    /// A reader of `pipe` that stops waiting when the work is stopped.
    pub fn watch_pipe(&self, mut pipe: impl Read + Send + 'static) -> WatchedPipe<'_> {
        let (sender, blocks) = sync_channel(PIPE_BLOCKS);
        std::thread::spawn(move || {
            loop {
                let mut block = vec![0; PIPE_BLOCK_BYTES];
                let read = pipe.read(&mut block).map(|count| {
                    block.truncate(count);
                    block
                });
                let is_last = !matches!(&read, Ok(block) if !block.is_empty());
                let interrupted =
                    matches!(&read, Err(cause) if cause.kind() == io::ErrorKind::Interrupted);
                if !interrupted && (sender.send(read).is_err() || is_last) {
                    return;
                }
            }
        });
        WatchedPipe {
            cancellation: self,
            blocks,
            block: Vec::new(),
            at: 0,
        }
    }

    /// Whether the work is stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.is_signalled() || self.stopped.load(Ordering::Relaxed)
    }

    fn is_signalled(&self) -> bool {
        self.signalled.load(Ordering::Relaxed)
    }
}

/// See [`Cancellation::watch`].
#[derive(Debug)]
pub struct Watched<'a, R> {
    cancellation: &'a Cancellation,
    reader: R,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.cancellation.is_stopped() {
                return Err(io::Error::other("stopped"));
            }
            match self.reader.read(buffer) {
                // A reader that waits for long comes back in between.
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

/// See [`Cancellation::watch_pipe`].
#[derive(Debug)]
pub struct WatchedPipe<'a> {
    cancellation: &'a Cancellation,
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    at: usize,
}

impl Read for WatchedPipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            match self.blocks.recv_timeout(PATIENCE) {
                Ok(block) => (self.block, self.at) = (block?, 0),
                Err(RecvTimeoutError::Timeout) if !self.cancellation.is_stopped() => continue,
                Err(RecvTimeoutError::Timeout) => return Err(io::Error::other("stopped")),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
            if self.block.is_empty() {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.block.len() - self.at);
        buffer[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
