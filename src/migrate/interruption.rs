//! How a signal ends a run of migrations: between statements, during a pause, and within a statement.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::cancellation::Cancellation;
use crate::error::{Error, Kind, Result};

/// How often a waiting thread looks for a signal, or for the end of what it waits for.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Sleeps for `time`. A signal ends the sleep with an error.
pub(crate) fn sleep(cancellation: &Cancellation, time: Duration) -> Result<()> {
    let mut left = time;
    while !left.is_zero() && !cancellation.is_stopped() {
        let part = left.min(POLL_INTERVAL);
        std::thread::sleep(part);
        left -= part;
    }
    check(cancellation)
}

/// Returns an error if a signal has come.
pub(crate) fn check(cancellation: &Cancellation) -> Result<()> {
    if cancellation.is_stopped() {
        return Err(Error::new(
            Kind::Interrupted,
            "interrupted; what was not done yet stays pending",
        ));
    }
    Ok(())
}

/// The interruption, if a signal has come and thus caused `error`; otherwise `error`.
pub(crate) fn or_interrupted(cancellation: &Cancellation, error: Error) -> Error {
    check(cancellation).err().unwrap_or(error)
}

/// Runs `work`. When a signal comes, `cancel` is called again and again until `work` returns.
pub(crate) fn cancel_on_signal<T>(
    cancellation: &Cancellation,
    mut cancel: impl FnMut() + Send,
    work: impl FnOnce() -> T,
) -> T {
    let (done, is_done) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while is_done.recv_timeout(POLL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if cancellation.is_stopped() {
                    cancel();
                }
            }
        });
        let result = work();
        drop(done);
        result
    })
}
