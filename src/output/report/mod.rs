//! The report of a command as files or objects: a page to sign off, JSON for programs, JUnit for pipelines, Markdown for tickets.

mod document;
mod filters;
mod format;
mod render;
mod summary;
mod written;

use std::path::PathBuf;
use std::time::Instant;

use document::Document;
pub use document::{Command, Ended, Outcome, Subject};
use format::Format;
use jiff::Timestamp;
use render::Page;
pub use summary::{read_document, render_summary};

use crate::error::{Error, Result};
use crate::output::place::Place;
use crate::storage::Writing;

/// The files that a command writes its report to.
#[derive(Debug)]
pub struct Reports {
    files: Vec<(Place, Format)>,
    writing: Writing,
    command: Command,
    subject: Subject,
    started_at: Timestamp,
    started: Instant,
}

impl Reports {
    /// The reports of `command`, which begins now, in `files`, which may be URLs of objects; these are written as `writing`
    /// says. Their endings say which format each has. That they can be written is tried at once, so that nobody learns it
    /// after the work.
    pub fn of(
        command: Command,
        subject: Subject,
        files: Vec<PathBuf>,
        writing: Writing,
    ) -> Result<Reports> {
        let mut known = Vec::new();
        for path in files {
            let place = Place::of(&path)?;
            let format = Format::of(place.name())?;
            if known.iter().any(|(other, _)| *other == place) {
                return Err(Error::usage(format!("the report {place} is named twice")));
            }
            written::examine(&place, &writing)?;
            known.push((place, format));
        }
        Ok(Reports {
            files: known,
            writing,
            command,
            subject,
            started_at: Timestamp::now(),
            started: Instant::now(),
        })
    }

    /// Writes the reports of what has `ended`, which is asked for only if there are some: it may be large.
    pub fn write<'a>(&self, ended: impl FnOnce() -> Ended<'a>) -> Result<()> {
        if self.files.is_empty() {
            return Ok(());
        }
        let ended = ended();
        let document = Document {
            command: self.command,
            subject: &self.subject,
            started_at: self.started_at,
            elapsed: self.started.elapsed(),
            ended,
        }
        .to_json();
        for (place, format) in &self.files {
            let text = render::render(&document, Page::Run, *format)?;
            written::write(place, text, &self.writing)?;
        }
        Ok(())
    }
}
