//! The progress of the work: on a terminal lines that move, otherwise a line for each step, and every ten seconds a
//! line about a part that takes longer.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Read, stderr};
use std::mem::forget;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::span::EnteredSpan;
use tracing::{Span, debug, debug_span};

use super::counts::Counts;
use super::messages::{self, Level};
use super::progress_line::Moment;
use super::times::PartTime;
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

/// How often an event tells how far a part is.
const TELLING: Duration = Duration::from_secs(1);

/// How the progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Lines that move on a terminal, otherwise as plain
    #[default]
    Auto,
    /// A line for each step, and one every ten seconds about a part that lasts
    Plain,
    /// Events for other programs: a line of JSON each, as with --log-format json
    Json,
    /// Nothing
    None,
}

/// Standard error is of the process, and so is what is shown there.
static FORM: Mutex<Form> = Mutex::new(Form::Auto);

/// From now on, the progress is shown in this `form`.
pub fn show_in(form: Form) {
    *FORM.lock().unwrap_or_else(PoisonError::into_inner) = form;
    if form == Form::Json {
        messages::use_json();
    }
}

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
    Events,
}

/// What is shown: the parts of the work that are under way.
#[derive(Debug)]
struct Board {
    mode: Mode,
    started: Instant,
    parts: Mutex<Vec<Part>>,
    /// The times of those that have ended.
    times: Mutex<Vec<PartTime>>,
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
    /// As [`show_in`] says; nothing if `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Progress {
        let form = *FORM.lock().unwrap_or_else(PoisonError::into_inner);
        let moves = stderr().is_terminal() && !messages::are_json();
        let mode = match (quiet, form) {
            (true, _) | (_, Form::None) => Mode::Quiet,
            (false, Form::Auto) if moves => Mode::Moving,
            (false, Form::Auto | Form::Plain) => Mode::Messages,
            (false, Form::Json) => Mode::Events,
        };
        let board = Arc::new(Board {
            mode,
            started: Instant::now(),
            parts: Mutex::default(),
            times: Mutex::default(),
        });
        if mode == Mode::Moving || messages::are_json() {
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
        if matches!(self.board.mode, Mode::Messages | Mode::Moving) {
            terminal::say(&format!("ci-import: {what}"));
        }
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

    /// The time from its start to `moment`.
    #[must_use]
    pub fn since_start(&self, moment: Instant) -> Duration {
        moment - self.board.started
    }

    /// When the parts of the work so far began and ended, in the order of their begin.
    #[must_use]
    pub fn times(&self) -> Vec<PartTime> {
        let (mut times, now) = (self.board.lock_times().clone(), Instant::now());
        for part in &*self.board.lock() {
            times.extend(part.times(self.board.started, now));
        }
        times.sort_by_key(|part| part.begin);
        times
    }

    fn begin(&self, part: Part) -> Meter {
        let counts = part.counts.clone();
        let span = debug_span!("part", part = %part.name);
        self.board.begin(part);
        Meter {
            board: Arc::clone(&self.board),
            counts,
            span,
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.drawer.take() {
            drop(end);
            let _ = thread.join();
        }
        let under_way = std::mem::take(&mut *self.board.lock());
        for part in &under_way {
            self.board.note_times(part);
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

    fn lock_times(&self) -> MutexGuard<'_, Vec<PartTime>> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, part: Part) {
        let mut parts = self.lock();
        for ended in parts.extract_if(.., |part| part.is_step) {
            self.note_times(&ended);
        }
        self.tell("begin", &part);
        parts.push(part);
    }

    /// Sends an event about `part`, if events are wanted.
    fn tell(&self, event: &str, part: &Part) {
        if self.mode == Mode::Events {
            let now = Instant::now();
            let is_complete = event == "end";
            #[expect(
                clippy::redundant_closure_for_method_calls,
                reason = "the method is of one lifetime"
            )]
            let mut told = part.at(now, is_complete, |moment| moment.to_json());
            let phase = part.counts.phase().begun.last().map(|(name, _)| *name);
            told["part"] = part.name.clone().into();
            told["phase"] = phase.filter(|_| !is_complete).into();
            told["seconds"] = (now - self.started).as_secs_f64().into();
            messages::send(Level::Info, event, told);
        }
    }

    fn note_times(&self, part: &Part) {
        let seconds = part.started.elapsed().as_secs_f64();
        debug!(part = %part.name, seconds, "ended");
        self.tell("end", part);
        self.lock_times()
            .extend(part.times(self.started, Instant::now()));
    }

    /// Removes the part with these counts, and returns it.
    fn end(&self, counts: &Counts) -> Option<Part> {
        let mut parts = self.lock();
        let at = parts.iter().position(|part| part.counts.is(counts))?;
        let part = parts.remove(at);
        self.note_times(&part);
        Some(part)
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
        if self.mode == Mode::Events {
            for part in &mut *parts {
                if now - part.mentioned >= TELLING {
                    part.mentioned = now;
                    self.tell("progress", part);
                }
            }
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

    /// When it and its phases began and ended, if it ends `now`. What follows a colon in its name is a detail.
    fn times(&self, origin: Instant, now: Instant) -> Vec<PartTime> {
        let phases = self.counts.phase().begun;
        let name = self.name.split(": ").next().unwrap_or_default();
        let begins = std::iter::once((name, self.started)).chain(phases.iter().copied());
        let ends = phases.iter().map(|(_, begin)| *begin).chain([now]);
        let mut times: Vec<PartTime> = begins
            .zip(ends)
            .map(|((name, begin), end)| PartTime {
                name: name.to_owned(),
                begin: begin - origin,
                end: end - origin,
                bytes: None,
                items: (0, ""),
            })
            .collect();
        // What is read and counted is so in the first one.
        times[0].bytes = self.size.map(|_| self.counts.bytes());
        times[0].items = (self.counts.items(), self.unit);
        times
    }

    fn at<T>(&self, now: Instant, is_complete: bool, show: impl Fn(&Moment<'_>) -> T) -> T {
        let phase = self.counts.phase();
        let begun = phase.begun.last().filter(|_| !is_complete);
        let (name, since) = begun.copied().unwrap_or((&self.name, self.started));
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
    span: Span,
}

impl Meter {
    /// Until the result is dropped, what this thread does is told as a piece of the part.
    pub fn enter(&self) -> EnteredSpan {
        self.span.clone().entered()
    }

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
