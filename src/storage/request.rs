//! Requests that are tried again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use tracing::debug;

use super::failure::{Failure, Meaning};

/// How often and how long a request is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The number of attempts.
    pub(super) attempts: u32,
    /// After this time, no further attempt begins.
    pub(super) time: Duration,
    /// An attempt may take so long, though bytes arrive.
    pub(super) longest: Duration,
}

impl Patience {
    /// For the first request: the address may be wrong, and nobody wants to wait to be told.
    pub(super) fn at_first(timeout: Duration) -> Patience {
        Patience {
            attempts: 3,
            time: timeout.min(Duration::from_secs(20)),
            longest: timeout,
        }
    }

    /// For a request in the middle of an object: much would have to be done again.
    pub(super) fn in_the_middle(timeout: Duration) -> Patience {
        Patience {
            attempts: u32::MAX,
            time: timeout,
            longest: timeout,
        }
    }
}

/// How long a server may be silent in an attempt, of all that may take `timeout`.
pub(super) fn silence(timeout: Duration) -> Duration {
    (timeout / 3).clamp(Duration::from_secs(1), Duration::from_secs(30))
}

/// The pauses between attempts: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The attempts of a request.
pub(super) struct Attempts {
    patience: Patience,
    /// For the lines of -v.
    what: &'static str,
    begun: Instant,
    number: u32,
    pause: Duration,
}

impl Attempts {
    pub(super) fn new(patience: Patience, what: &'static str) -> Attempts {
        Attempts {
            patience,
            what,
            begun: Instant::now(),
            number: 1,
            pause: FIRST_PAUSE,
        }
    }

    /// Does an attempt, for as long as all may take.
    pub(super) async fn attempt<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let late = |_| Failure::new(Meaning::Unreachable, "it did not answer in time");
        tokio::time::timeout(self.patience.longest, work)
            .await
            .map_err(late)?
    }

    /// Waits before the next attempt, after one has failed. Returns the failure if there is no next one.
    pub(super) async fn pause_after(&mut self, failure: Failure) -> Result<(), Failure> {
        let is_last = self.number >= self.patience.attempts;
        if !failure.is_passing() || is_last || self.begun.elapsed() >= self.patience.time {
            return Err(failure);
        }
        debug!(
            attempt = self.number,
            said = failure.said,
            "{} failed, trying again",
            self.what
        );
        tokio::time::sleep(varied(self.pause)).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.number += 1;
        Ok(())
    }
}

/// Does `work`, again after failures that may pass.
pub(super) async fn with_patience<T, W: Future<Output = Result<T, Failure>>>(
    patience: Patience,
    what: &'static str,
    work: impl Fn() -> W,
) -> Result<T, Failure> {
    let mut attempts = Attempts::new(patience, what);
    loop {
        match attempts.attempt(work()).await {
            Ok(done) => return Ok(done),
            Err(failure) => attempts.pause_after(failure).await?,
        }
    }
}

/// A pause of half to all of `pause`, by chance: many readers that were cut off together do not come back together.
fn varied(pause: Duration) -> Duration {
    let chance =
        u32::try_from(RandomState::new().build_hasher().finish() % 512).unwrap_or_default();
    pause / 2 + pause / 2 * chance / 512
}
