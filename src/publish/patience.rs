//! Tries a publish again and again while others hold the live tables.

use std::time::{Duration, Instant};

use super::outcome::Waiting;
use crate::error::{Error, Kind, Result};

/// The pause before the next try, in which others get the tables.
const PAUSE: Duration = Duration::from_millis(500);

/// How often the user is told who holds the tables.
const TELLING: Duration = Duration::from_secs(10);

/// Tries `publish` as long as `waiting` allows, if it fails because of locks. Each try must end soon: who comes after a
/// waiting publish waits, too. `holders` says who holds the tables.
pub(crate) fn patiently<S, T>(
    session: &mut S,
    waiting: Waiting<'_>,
    is_about_locks: fn(&Error) -> bool,
    holders: impl Fn(&mut S) -> Result<Vec<String>>,
    mut publish: impl FnMut(&mut S) -> Result<T>,
) -> Result<T> {
    let started = Instant::now();
    let mut told: Option<Instant> = None;
    loop {
        let error = match publish(session) {
            Err(error) if is_about_locks(&error) => error,
            done => return done,
        };
        (waiting.check)()?;
        // If the session is lost, the next try says so.
        let holders = holders(session).unwrap_or_default();
        let shown = if holders.is_empty() {
            String::new()
        } else {
            format!(": {}", holders.join("; "))
        };
        if started.elapsed() >= waiting.limit {
            let seconds = waiting.limit.as_secs();
            return Err(error
                .adding(&format!("; others hold the live tables{shown}"))
                .into_kind(Kind::Target)
                .held()
                .hint(format!(
                    "stop GitLab and its jobs, then run it again, or let it wait longer than {seconds} s: \
                     --wait-for-locks SECONDS"
                )));
        }
        if told.is_none_or(|told| told.elapsed() >= TELLING) {
            told = Some(Instant::now());
            (waiting.tell)(&format!(
                "waiting for others who hold the live tables{shown}"
            ));
        }
        std::thread::sleep(PAUSE);
    }
}
