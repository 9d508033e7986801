//! Points at which a test can have the program killed, or stopped until the test lets it go on.
//! There are none in a release build.
//!
//! The environment says what happens: `CI_IMPORT_FAILPOINT` is `kill:`, `stop:` or `hang:` (only the thread that
//! comes to the point never goes on, as if a disk did not answer) and the name of
//! a point, of which the first hit counts, or `#` and the number of a hit, counted over all points
//! from 1.
//! `CI_IMPORT_FAILPOINT_LOG` names a file that gets a line for each hit.

#[cfg(debug_assertions)]
pub use armed::reached;

/// Says that the program has come to `point`.
#[cfg(not(debug_assertions))]
#[inline]
pub fn reached(_point: &str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use signal_hook::consts::{SIGKILL, SIGSTOP};
    use signal_hook::low_level::raise;

    /// Which hit matters, and the signal it brings.
    struct Plan {
        /// None: the thread hangs.
        signal: Option<i32>,
        wanted: Wanted,
    }

    enum Wanted {
        Point(String),
        Hit(u64),
    }

    fn plan() -> Option<&'static Plan> {
        static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
        PLAN.get_or_init(|| {
            let text = std::env::var("CI_IMPORT_FAILPOINT").ok()?;
            let (action, wanted) = text.split_once(':')?;
            let hit = wanted.strip_prefix('#').and_then(|hit| hit.parse().ok());
            Some(Plan {
                signal: match action {
                    "kill" => Some(SIGKILL),
                    "hang" => None,
                    _ => Some(SIGSTOP),
                },
                wanted: hit.map_or_else(|| Wanted::Point(wanted.to_owned()), Wanted::Hit),
            })
        })
        .as_ref()
    }

    /// Says that the program has come to `point`.
    pub fn reached(point: &str) {
        static HITS: AtomicU64 = AtomicU64::new(0);
        static DONE: AtomicBool = AtomicBool::new(false);
        let number = HITS.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(log) = std::env::var_os("CI_IMPORT_FAILPOINT_LOG") {
            let file = std::fs::File::options().append(true).create(true).open(log);
            let _ = file.and_then(|mut file| file.write_all(format!("{point}\n").as_bytes()));
        }
        let Some(plan) = plan() else { return };
        let is_wanted = match &plan.wanted {
            Wanted::Point(name) => name == point,
            Wanted::Hit(hit) => *hit == number,
        };
        if is_wanted && !DONE.swap(true, Ordering::Relaxed) {
            let Some(signal) = plan.signal else {
                loop {
                    std::thread::park();
                }
            };
            // Sent to the process, another thread could take it, and this one would go on meanwhile.
            let _ = raise(signal);
        }
    }
}
