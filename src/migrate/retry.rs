//! The retry policy of migrations: how long an attempt waits for locks, and how often it is repeated. Between
//! attempts the sessions that hold the locks can go on.

use std::time::Duration;

use super::interruption::{or_interrupted, sleep};
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::ui::progress::Progress;

/// The pause before the first repetition. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a migration waits for locks that others hold. Others queue behind it meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The longest wait for one lock in one attempt.
    pub lock_timeout: Duration,
    /// The number of repetitions after the first attempt.
    pub retries: u32,
}

/// Why an attempt failed.
pub(crate) struct AttemptError {
    pub(crate) error: Error,
    /// Whether another attempt may succeed, since others held what it needed.
    pub(crate) is_retryable: bool,
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> AttemptError {
        AttemptError {
            error,
            is_retryable: false,
        }
    }
}

impl AttemptError {
    /// Adds `hint` if the error has none.
    pub(crate) fn hint(mut self, hint: &str) -> AttemptError {
        if self.error.hint_text().is_none() {
            self.error = self.error.hint(hint);
        }
        self
    }
}

impl RetryPolicy {
    /// Makes attempts at `name` until one succeeds, fails for good, or none is left.
    pub(crate) fn run<T>(
        self,
        name: &str,
        (progress, cancellation): (&Progress, &Cancellation),
        mut attempt: impl FnMut() -> std::result::Result<T, AttemptError>,
    ) -> Result<T> {
        let mut pause = FIRST_PAUSE;
        for left in (0..=self.retries).rev() {
            match attempt() {
                Ok(done) => return Ok(done),
                Err(failed) if failed.is_retryable && left > 0 => {
                    let seconds = pause.as_secs_f64();
                    progress.step(&format!(
                        "{name}: others hold what it needs; again in {seconds:.1} s"
                    ));
                    failpoint::reached("migration gave way");
                    sleep(cancellation, pause)?;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
                Err(failed) => return Err(or_interrupted(cancellation, failed.error)),
            }
        }
        Err(Error::failed(format!("{name} was not tried")))
    }
}

/// The hint after a timeout of a lock. `who_holds_it` says where the server lists the holders.
pub(crate) fn lock_timeout_hint(who_holds_it: &str) -> String {
    format!(
        "it stays pending; {who_holds_it}; wait longer with --lock-timeout, \
         or oftener with --lock-retries"
    )
}
