//! The progress of the work: on a terminal lines that move, otherwise a line for each step, and every ten seconds a
//! line about a part that takes longer.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Read, stderr};
use std::mem::forget;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::counts::Counts;
use super::progress_line::Moment;
use super::{screen, terminal};
use crate::cancellation::stop;

/// How often the lines on a terminal move.
const MOVING: Duration = Duration::from_millis(200);

/// A shorter part is not worth a line on a terminal.
const SHORT: Duration = Duration::from_millis(400);

/// How often a part that lasts is mentioned where there is no terminal.
const MENTIONING: Duration = Duration::from_secs(10);

/// The rate is that of the last bytes.
const RATE_OF_LAST: Duration = Duration::from_secs(10);

/// Shows the progress on standard error.
#[derive(Debug)]
pub struct Progress {
    board: Arc<Board>,
    drawer: Option<(Sender<()>, JoinHandle<()>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Quiet,
    Messages,
    Moving,
}

/// What is shown: the parts of the work that are under way.
#[derive(Debug)]
struct Board {
    mode: Mode,
    parts: Mutex<Vec<Part>>,
}

/// A part of the work.
#[derive(Debug)]
struct Part {
    name: String,
    /// The bytes to read, if it reads any; 0 if their number is not known.
    size: Option<u64>,
    /// What is counted.
    unit: &'static str,
    counts: Counts,
    started: Instant,
    mentioned: Instant,
    /// The number of bytes at some earlier times.
    earlier: VecDeque<(Instant, u64)>,
    /// Whether it ends when the next part begins.
    is_step: bool,
}

impl Progress {
    /// Lines that move if standard error is a terminal, otherwise messages; nothing if `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Progress {
        let mode = match (quiet, stderr().is_terminal()) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Moving,
            (false, false) => Mode::Messages,
        };
        let board = Arc::new(Board {
            mode,
            parts: Mutex::default(),
        });
        if mode == Mode::Moving {
            stop::say_with(|line| {
                // The process may end at any time now, and must not leave half a screen.
                forget(screen::hold());
                terminal::say(line);
            });
        }
        let drawer = (mode != Mode::Quiet).then(|| {
            let (end, ended) = channel();
            let board = Arc::clone(&board);
            (end, std::thread::spawn(move || board.show_until(&ended)))
        });
        Progress { board, drawer }
    }

    /// Announces the next step, which lasts until another part of the work begins.
    pub fn step(&self, what: &str) {
        if self.board.mode == Mode::Quiet {
            return;
        }
        terminal::say(&format!("ci-import: {what}"));
        let mut step = Part::new(what.to_owned(), None, "");
        step.is_step = true;
        self.board.begin(step);
    }

    /// Begins to read a member of `size` bytes, or of an unknown number if it is 0. What it has is called `unit`.
    #[must_use]
    pub fn member(&self, name: &str, size: u64, unit: &'static str) -> Meter {
        self.begin(Part::new(name.to_owned(), Some(size), unit))
    }

    /// Begins a part that has steps.
    #[must_use]
    pub fn steps(&self, name: &str) -> Meter {
        self.begin(Part::new(name.to_owned(), None, ""))
    }

    fn begin(&self, part: Part) -> Meter {
        let counts = part.counts.clone();
        if self.board.mode != Mode::Quiet {
            self.board.begin(part);
        }
        Meter {
            board: Arc::clone(&self.board),
            counts,
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.drawer.take() {
            drop(end);
            let _ = thread.join();
        }
        if self.board.mode == Mode::Moving {
            screen::draw(Vec::new());
        }
    }
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Vec<Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, part: Part) {
        let mut parts = self.lock();
        parts.retain(|part| !part.is_step);
        parts.push(part);
    }

    /// Removes the part with these counts, and returns it.
    fn end(&self, counts: &Counts) -> Option<Part> {
        let mut parts = self.lock();
        let at = parts.iter().position(|part| part.counts.is(counts))?;
        Some(parts.remove(at))
    }

    fn show_until(&self, ended: &Receiver<()>) {
        while ended.recv_timeout(MOVING) == Err(RecvTimeoutError::Timeout) {
            self.show();
        }
    }

    fn show(&self) {
        let mut parts = self.lock();
        let now = Instant::now();
        for part in &mut *parts {
            part.note_bytes(now);
        }
        if self.mode == Mode::Moving {
            let width = screen::terminal_width() - 1;
            let lasting = parts.iter().filter(|part| now - part.started >= SHORT);
            let lines = lasting.map(|part| part.at(now, false, |moment| moment.with_bar(width)));
            screen::draw(lines.collect());
            return;
        }
        for part in &mut *parts {
            if now - part.mentioned >= MENTIONING {
                part.mentioned = now;
                let line = part.at(now, false, message);
                terminal::say(&format!("ci-import: {line}"));
            }
        }
    }
}

impl Part {
    fn new(name: String, size: Option<u64>, unit: &'static str) -> Part {
        let now = Instant::now();
        Part {
            name,
            size,
            unit,
            counts: Counts::default(),
            started: now,
            mentioned: now,
            earlier: VecDeque::from([(now, 0)]),
            is_step: false,
        }
    }

    fn note_bytes(&mut self, now: Instant) {
        self.earlier.push_back((now, self.counts.bytes()));
        let is_old = |(then, _): &(Instant, u64)| now - *then > RATE_OF_LAST;
        while self.earlier.len() > 2 && self.earlier.front().is_some_and(is_old) {
            self.earlier.pop_front();
        }
    }

    /// The bytes in a second: lately, or from the start to the end.
    fn rate(&self, now: Instant, is_complete: bool) -> Option<u64> {
        let (then, before) = match self.earlier.front() {
            Some(earlier) if !is_complete => *earlier,
            _ => (self.started, 0),
        };
        let milliseconds = u64::try_from((now - then).as_millis()).ok()?;
        let bytes = self.counts.bytes().saturating_sub(before);
        bytes.saturating_mul(1000).checked_div(milliseconds)
    }

    fn at(&self, now: Instant, is_complete: bool, show: impl Fn(&Moment<'_>) -> String) -> String {
        let phase = self.counts.phase();
        let begun = phase.begun.filter(|_| !is_complete);
        let (name, since) = begun.unwrap_or((&self.name, self.started));
        show(&Moment {
            name,
            bytes: self
                .size
                .filter(|_| begun.is_none())
                .map(|_| self.counts.bytes()),
            size: self.size.unwrap_or(0),
            rate: self.rate(now, is_complete),
            items: self.counts.items(),
            unit: self.unit,
            steps: self.counts.steps(),
            step: if is_complete { "" } else { &phase.step },
            elapsed: now - since,
            is_complete,
        })
    }
}

fn message(moment: &Moment<'_>) -> String {
    moment.as_message()
}

/// The progress of one part. It is shown until this is dropped.
#[derive(Debug)]
pub struct Meter {
    board: Arc<Board>,
    counts: Counts,
}

impl Meter {
    /// A reader that counts its bytes.
    pub fn watch<R: Read>(&self, reader: R) -> Watched<R> {
        Watched {
            reader,
            counts: self.counts.clone(),
        }
    }

    /// Where the part counts what it does.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Ends a part that is complete: on a terminal, its line stays.
    pub fn complete(self) {
        let Some(part) = self.board.end(&self.counts) else {
            return;
        };
        let now = Instant::now();
        if self.board.mode == Mode::Moving && now - part.started >= SHORT {
            let width = screen::terminal_width() - 1;
            self.board.show();
            screen::say(&part.at(now, true, |moment| moment.with_bar(width)));
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.board.end(&self.counts).is_some() && self.board.mode == Mode::Moving {
            self.board.show();
        }
    }
}

/// See [`Meter::watch`].
#[derive(Debug)]
pub struct Watched<R> {
    reader: R,
    counts: Counts,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.counts.add_bytes(count);
        Ok(count)
    }
}
