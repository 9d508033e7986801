//! Shows how far the import has come: bars on a terminal, a line for each step elsewhere.

use std::io::{IsTerminal, Read, stderr};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::terminal;

/// How an import shows its progress, on standard error.
#[derive(Debug)]
pub struct Progress {
    bars: MultiProgress,
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Quiet,
    Lines,
    Bars,
}

impl Progress {
    /// Bars if standard error is a terminal, else lines; nothing at all if `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Progress {
        let mode = match (quiet, stderr().is_terminal()) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Bars,
            (false, false) => Mode::Lines,
        };
        Progress {
            bars: MultiProgress::new(),
            mode,
        }
    }

    /// Says what is done next.
    pub fn step(&self, what: &str) {
        match self.mode {
            Mode::Quiet => {}
            Mode::Lines => terminal::say(&format!("ci-import: {what}")),
            Mode::Bars => {
                let _ = self.bars.println(format!("ci-import: {what}"));
            }
        }
    }

    /// A bar for a member of `size` bytes; off a terminal a line.
    #[must_use]
    pub fn member(&self, name: &'static str, size: u64) -> Meter {
        if self.mode != Mode::Bars {
            self.step(name);
            return Meter {
                bar: ProgressBar::hidden(),
            };
        }
        let bar = self.bars.add(ProgressBar::new(size).with_message(name));
        let template = "{msg:28} {bar:30} {binary_bytes:>10} of {binary_total_bytes:10} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Meter { bar }
    }
}

/// The bar of one member.
#[derive(Debug, Clone)]
pub struct Meter {
    bar: ProgressBar,
}

impl Meter {
    /// A reader that moves the bar as it is read.
    pub fn watch<R: Read>(&self, reader: R) -> impl Read {
        self.bar.wrap_read(reader)
    }

    /// Says that the member is read, and what is still being done.
    pub fn read(&self, then: &'static str) {
        self.bar.set_message(then);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
