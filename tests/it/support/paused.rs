//! A run of the program that stands still at one of its points until the test lets it go on.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::program::{Outcome, finish};

/// How long it may take to come to its point.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that stands still, or did so. It is ended with the test.
pub(crate) struct Paused {
    child: Option<Child>,
    shown: String,
}

impl Paused {
    /// Starts `command` and waits until it has come to `point`, a name or `#` and a number.
    pub(crate) fn at(mut command: Command, point: &str) -> Paused {
        command.env("CI_IMPORT_FAILPOINT", format!("stop:{point}"));
        let shown = format!("{command:?}");
        let child = command.spawn().expect("the program starts");
        let mut paused = Paused {
            child: Some(child),
            shown,
        };
        paused.wait(point);
        paused
    }

    fn wait(&mut self, point: &str) {
        let started = Instant::now();
        while state(self.process()) != Some('T') {
            if matches!(state(self.process()), None | Some('Z')) {
                let outcome = self.take();
                panic!("it never came to {point}: {}", outcome.whole());
            }
            assert!(
                started.elapsed() < PATIENCE,
                "it does not come to {point}: {}",
                self.shown
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn process(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.process(), signal).unwrap();
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts `command`, one of whose threads hangs when it comes to `point`; waits until it has.
    pub(crate) fn hanging_at(mut command: Command, point: &str, log: &Path) -> Paused {
        command.env("CI_IMPORT_FAILPOINT", format!("hang:{point}"));
        command.env("CI_IMPORT_FAILPOINT_LOG", log);
        let shown = format!("{command:?}");
        let child = command.spawn().expect("the program starts");
        let paused = Paused {
            child: Some(child),
            shown,
        };
        let started = Instant::now();
        while !std::fs::read_to_string(log).is_ok_and(|log| log.lines().any(|line| line == point)) {
            assert!(started.elapsed() < PATIENCE, "it does not come to {point}");
            std::thread::sleep(Duration::from_millis(5));
        }
        paused
    }

    /// Lets it go on, to its end.
    pub(crate) fn finish(mut self) -> Outcome {
        self.go_on();
        self.take()
    }

    fn take(&mut self) -> Outcome {
        finish(self.child.take().unwrap(), self.shown.clone())
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The letter that the kernel has for what a process does.
fn state(process: Pid) -> Option<char> {
    let path = format!("/proc/{}/stat", process.as_raw_nonzero());
    let text = std::fs::read_to_string(path).ok()?;
    // The program's name comes before, in parentheses.
    text.rsplit_once(") ")?.1.chars().next()
}
