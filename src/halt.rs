//! Stops all parts of an import when one fails or a signal comes.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};

/// Knows whether to stop, and why.
#[derive(Debug, Default)]
pub struct Halt {
    signalled: Arc<AtomicBool>,
    stopped: AtomicBool,
    cause: Mutex<Option<Error>>,
}

impl Halt {
    /// Stops on SIGINT and SIGTERM; a second signal ends the process at once.
    pub fn on_signals() -> Result<Halt> {
        let halt = Halt::default();
        let registered = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM]
            .into_iter()
            .try_for_each(|signal| {
                let flag = || Arc::clone(&halt.signalled);
                let code = i32::from(crate::error::Kind::Interrupted.exit_code());
                // Registered first, it acts only if the flag was set by an earlier signal.
                signal_hook::flag::register_conditional_shutdown(signal, code, flag())?;
                signal_hook::flag::register(signal, flag()).map(|_| ())
            });
        registered.map_err(|cause| Error::failed(format!("cannot handle signals: {cause}")))?;
        Ok(halt)
    }

    /// Does one part of the work; its failure stops the others. What is returned is the failure
    /// that came first.
    pub fn guard<T>(&self, part: impl FnOnce() -> Result<T>) -> Result<T> {
        part().map_err(|error| {
            let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
            self.stopped.store(true, Ordering::Relaxed);
            let first = cause.get_or_insert(error).clone();
            if self.is_signalled() {
                Error::interrupted()
            } else {
                first
            }
        })
    }

    /// An error if a signal has come.
    pub fn check(&self) -> Result<()> {
        if self.is_signalled() {
            Err(Error::interrupted())
        } else {
            Ok(())
        }
    }

    /// A reader that fails as soon as the work is to stop.
    pub fn watch<R: Read>(&self, reader: R) -> Watched<'_, R> {
        Watched { halt: self, reader }
    }

    fn is_signalled(&self) -> bool {
        self.signalled.load(Ordering::Relaxed)
    }
}

/// See [`Halt::watch`].
#[derive(Debug)]
pub struct Watched<'a, R> {
    halt: &'a Halt,
    reader: R,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.halt.is_signalled() || self.halt.stopped.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped"));
        }
        self.reader.read(buffer)
    }
}
