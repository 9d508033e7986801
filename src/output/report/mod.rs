//! The report of a command as files: a page to sign off, JSON for programs, JUnit for pipelines, Markdown for tickets.

mod document;
mod filters;
mod format;
mod render;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use document::Document;
pub use document::{Command, Ended, Outcome, Subject};
use format::Format;
use jiff::Timestamp;
use memchr::memmem;

use crate::error::{Doing, Error, Kind, Result};
use crate::output::file::{Access, OutputFile};

/// What the beginning of each report has.
const MARK: &[u8] = b"ci-import";

/// How many bytes the beginning is.
const MARK_WITHIN: u64 = 1024;

/// The files that a command writes its report to.
#[derive(Debug)]
pub struct Reports {
    files: Vec<(PathBuf, Format)>,
    command: Command,
    subject: Subject,
    started_at: Timestamp,
    started: Instant,
}

impl Reports {
    /// The reports of `command`, which begins now, in `files`. Their endings say which format each has. That they can be
    /// written is tried at once, so that nobody learns it after the work.
    pub fn of(command: Command, subject: Subject, files: Vec<PathBuf>) -> Result<Reports> {
        let mut known = Vec::new();
        for path in files {
            let format = Format::of(&path)?;
            if known.iter().any(|(other, _)| *other == path) {
                let shown = path.display();
                return Err(Error::usage(format!("the report {shown} is named twice")));
            }
            refuse_other_files(&path)?;
            OutputFile::create_for(Some(&path), Access::AsUsual).map_err(|error| {
                error
                    .into_kind(Kind::Usage)
                    .hint("name a file in a directory that exists and that you may write to")
            })?;
            known.push((path, format));
        }
        Ok(Reports {
            files: known,
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
        for (path, format) in &self.files {
            let text = render::render(&document, *format)?;
            write(path, &text)?;
        }
        Ok(())
    }
}

/// Refuses what is there and is no report: it may have been named by mistake.
fn refuse_other_files(path: &Path) -> Result<()> {
    // A pipe would be waited for.
    let is_other = match fs::metadata(path) {
        Err(_) => false,
        Ok(found) if !found.is_file() => true,
        Ok(_) => {
            let mut beginning = Vec::new();
            let read = File::open(path)
                .and_then(|file| file.take(MARK_WITHIN).read_to_end(&mut beginning));
            let is_report = beginning.is_empty() || memmem::find(&beginning, MARK).is_some();
            read.is_err() || !is_report
        }
    };
    if !is_other {
        return Ok(());
    }
    let shown = path.display();
    Err(
        Error::usage(format!("{shown} is there, and is no report of ci-import"))
            .hint("name another file, or remove it"),
    )
}

fn write(path: &Path, text: &str) -> Result<()> {
    let file = OutputFile::create_for(Some(path), Access::AsUsual)?;
    let doing = || format!("write {}", path.display());
    let mut writer = file.writer()?;
    writer.write_all(text.as_bytes()).doing(doing())?;
    writer.flush().doing(doing())?;
    drop(writer);
    file.keep()
}
