//! How long a run waits for others, who have theirs meanwhile, and that a signal ends the waiting.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::cancellation::Halt;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::ui::progress::Progress;

/// How often who waits looks whether it is over.
pub(crate) const GLANCE: Duration = Duration::from_millis(100);

/// The first pause before it is tried again; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a migration waits for locks that others hold, while others queue behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one lock, at one time.
    pub lock_timeout: Duration,
    /// How many times it is tried again.
    pub retries: u32,
}

/// Why an attempt failed.
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// Whether it may go well another time: others were in the way.
    pub(crate) again: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed {
            error,
            again: false,
        }
    }
}

impl Failed {
    /// The same with a hint, if it has none.
    pub(crate) fn hint(mut self, hint: &str) -> Failed {
        if self.error.hint_text().is_none() {
            self.error = self.error.hint(hint);
        }
        self
    }
}

impl Patience {
    /// Makes an attempt at `name`, again and again where others are in the way, with pauses in which they
    /// have theirs.
    pub(crate) fn persist<T>(
        self,
        name: &str,
        (progress, halt): (&Progress, &Halt),
        mut attempt: impl FnMut() -> std::result::Result<T, Failed>,
    ) -> Result<T> {
        let mut wait = FIRST_PAUSE;
        for left in (0..=self.retries).rev() {
            match attempt() {
                Ok(done) => return Ok(done),
                Err(failed) if failed.again && left > 0 => {
                    let seconds = wait.as_secs_f64();
                    progress.step(&format!(
                        "{name}: others hold what it needs; again in {seconds:.1} s"
                    ));
                    failpoint::reached("migration gave way");
                    pause(halt, wait)?;
                    wait = (2 * wait).min(LONGEST_PAUSE);
                }
                Err(failed) => return Err(or_interrupted(halt, failed.error)),
            }
        }
        Err(Error::failed(format!("{name} was not tried")))
    }
}

/// Lets the time pass, unless a signal comes.
pub(crate) fn pause(halt: &Halt, time: Duration) -> Result<()> {
    let mut left = time;
    while !left.is_zero() && !halt.is_stopped() {
        let glance = left.min(GLANCE);
        std::thread::sleep(glance);
        left -= glance;
    }
    check(halt)
}

/// An error if a signal has come.
pub(crate) fn check(halt: &Halt) -> Result<()> {
    if halt.is_stopped() {
        return Err(Error::new(
            Kind::Interrupted,
            "interrupted; what was not done yet stays pending",
        ));
    }
    Ok(())
}

/// The signal, where it is what has made something fail.
pub(crate) fn or_interrupted(halt: &Halt, error: Error) -> Error {
    check(halt).err().unwrap_or(error)
}

/// Does `work`, which runs statements; they are cancelled when a signal comes.
pub(crate) fn cancelled_by<T>(
    halt: &Halt,
    mut cancel: impl FnMut() + Send,
    work: impl FnOnce() -> T,
) -> T {
    let (done, is_done) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while is_done.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                if halt.is_stopped() {
                    cancel();
                }
            }
        });
        let result = work();
        drop(done);
        result
    })
}
