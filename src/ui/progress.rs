//! The progress of an import: bars on a terminal, otherwise a line for each step.

use std::io::{IsTerminal, Read, stderr};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::terminal;
use crate::cancellation::stop;

/// Shows the progress on standard error.
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
    /// Bars if standard error is a terminal, otherwise lines; nothing if `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Progress {
        let mode = match (quiet, stderr().is_terminal()) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Bars,
            (false, false) => Mode::Lines,
        };
        let bars = MultiProgress::new();
        if mode == Mode::Bars {
            let bars = bars.clone();
            stop::say_with(move |line| {
                let _ = bars.println(line);
            });
        }
        Progress { bars, mode }
    }

    /// Announces the next step.
    pub fn step(&self, what: &str) {
        match self.mode {
            Mode::Quiet => {}
            Mode::Lines => terminal::say(&format!("ci-import: {what}")),
            Mode::Bars => {
                let _ = self.bars.println(format!("ci-import: {what}"));
            }
        }
    }

    /// A bar for a member of `size` bytes; without a terminal, a line.
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
    /// A reader that advances the bar.
    pub fn watch<R: Read>(&self, reader: R) -> impl Read {
        self.bar.wrap_read(reader)
    }

    /// Marks the member as read, and announces what follows.
    pub fn read(&self, then: &'static str) {
        self.bar.set_message(then);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
