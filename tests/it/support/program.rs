//! Runs the program as a user would, and shows everything it said when it did not do as expected.

use std::borrow::BorrowMut;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where the program is: as cargo built it, or where a test of an installed one says.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("CI_IMPORT_PROGRAM")
        .map_or_else(|| env!("CARGO_BIN_EXE_ci-import").into(), PathBuf::from)
}

/// The top of the project.
pub(crate) fn project() -> PathBuf {
    std::env::var_os("CI_IMPORT_TEST_PROJECT")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// The program with `arguments`, in an environment that names no target.
pub(crate) fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program());
    let variables = std::env::vars_os().map(|(name, _)| name);
    let prefixes = ["PG", "MYSQL_", "CI_IMPORT_"];
    for name in variables {
        let shown = name.to_string_lossy();
        if prefixes.iter().any(|prefix| shown.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    for name in [
        "DATABASE_URL",
        "BACKUP",
        "MYSQL_TO_POSTGRESQL",
        "force",
        "SKIP_POST_DEPLOYMENT_MIGRATIONS",
    ] {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    shown: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `command` to its end.
pub(crate) fn run(mut command: impl BorrowMut<Command>) -> Outcome {
    let command = command.borrow_mut();
    let shown = format!("{command:?}");
    Outcome::new(shown, &command.output().expect("the program starts"))
}

/// Runs `command` to its end, and watches the most memory it has at any time, in bytes.
pub(crate) fn run_watched(mut command: Command) -> (Outcome, u64) {
    let shown = format!("{command:?}");
    let child = command.spawn().expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = 0;
            while !ended.load(Ordering::Relaxed) {
                peak = peak.max(peak_so_far(&status));
                std::thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        let outcome = finish(child, shown);
        ended.store(true, Ordering::Relaxed);
        (outcome, watch.join().unwrap())
    })
}

/// The most memory a process had so far, in bytes; 0 of one that has ended.
fn peak_so_far(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|line| {
            line.trim()
                .trim_end_matches("kB")
                .trim()
                .parse::<u64>()
                .ok()
        });
    kilobytes.unwrap_or(0) * 1024
}

/// What the program takes while it waits for its input, beyond the 8 MiB of a release build: the code of a debug build is
/// larger. In bytes.
pub(crate) fn surplus() -> u64 {
    static SURPLUS: OnceLock<u64> = OnceLock::new();
    *SURPLUS.get_or_init(|| {
        let mut inspect = command(["inspect", "-"]);
        let mut child = inspect.stdin(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let peak = peak_so_far(&format!("/proc/{}/status", child.id()));
        drop(child.stdin.take());
        finish(child, "inspect".to_owned());
        let surplus = peak.saturating_sub(8 << 20);
        // A file that was copied has larger pieces in the page cache, of which more are mapped than are used.
        assert!(surplus <= 12 << 20, "{} KiB before any input", peak >> 10);
        surplus
    })
}

/// Runs `command`, feeding its standard input by `feed`.
pub(crate) fn run_fed(mut command: Command, feed: impl FnOnce(&mut dyn Write)) -> Outcome {
    let shown = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().unwrap();
    feed(&mut input);
    drop(input);
    finish(child, shown)
}

/// Waits for `child`.
pub(crate) fn finish(child: Child, shown: String) -> Outcome {
    Outcome::new(shown, &child.wait_with_output().unwrap())
}

/// The words of `text`, with one blank between two.
pub(crate) fn unbroken(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Outcome {
    fn new(shown: String, output: &Output) -> Outcome {
        Outcome {
            shown,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It exited with 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Outcome {
        self.exits(0)
    }

    /// It exited with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Outcome {
        assert!(
            self.code == Some(code),
            "expected exit code {code}\n{}",
            self.whole()
        );
        self
    }

    /// Its standard error contains `text`, which may be broken into lines.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Outcome {
        assert!(
            unbroken(&self.stderr).contains(&unbroken(text)),
            "expected on stderr: {text}\n{}",
            self.whole()
        );
        self
    }

    /// Its standard output contains `text`, which may be broken into lines.
    #[track_caller]
    pub(crate) fn reports(self, text: &str) -> Outcome {
        assert!(
            unbroken(&self.stdout).contains(&unbroken(text)),
            "expected on stdout: {text}\n{}",
            self.whole()
        );
        self
    }

    pub(crate) fn whole(&self) -> String {
        let Outcome {
            shown,
            code,
            stdout,
            stderr,
        } = self;
        format!("{shown}\nexit code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
