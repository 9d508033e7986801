//! Where a report is written to: a file, or an object in an object storage.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::error::{Doing, Error, Kind, Result};
use crate::output::file::{Access, OutputFile, url_in};
use crate::storage::{self, ObjectUrl, Upload, Writing};

/// What the beginning of each report has.
const MARK: &[u8] = b"ci-import";

/// How many bytes the beginning is.
const MARK_WITHIN: u64 = 1024;

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    Object(ObjectUrl),
}

impl Place {
    /// The one that `path` names.
    pub(super) fn of(path: &Path) -> Result<Place> {
        match url_in(path) {
            Some(url) => url.map(Place::Object),
            None => Ok(Place::File(path.to_owned())),
        }
    }

    /// The name of the file or of the object.
    pub(super) fn name(&self) -> &Path {
        match self {
            Place::File(path) => path,
            Place::Object(url) => Path::new(url.name()),
        }
    }

    /// An error if nothing can be written there, or if something is there that is not replaced.
    pub(super) fn examine(&self, writing: &Writing) -> Result<()> {
        match self {
            Place::File(path) => {
                refuse_other_files(path)?;
                OutputFile::create_for(Some(path), Access::AsUsual).map_err(|error| {
                    error
                        .into_kind(Kind::Usage)
                        .hint("name a file in a directory that exists and that you may write to")
                })?;
                Ok(())
            }
            // What is begun and not kept leaves nothing.
            Place::Object(url) => Upload::begin(url, writing).map(drop),
        }
    }

    /// Writes the report there.
    pub(super) fn write(&self, text: String, writing: &Writing) -> Result<()> {
        match self {
            Place::File(path) => write_file(path, &text),
            Place::Object(url) => storage::put(url, text.into_bytes(), writing),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => path.display().fmt(f),
            Place::Object(url) => url.fmt(f),
        }
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

fn write_file(path: &Path, text: &str) -> Result<()> {
    let file = OutputFile::create_for(Some(path), Access::AsUsual)?;
    let doing = || format!("write {}", path.display());
    let mut writer = file.writer()?;
    writer.write_all(text.as_bytes()).doing(doing())?;
    writer.flush().doing(doing())?;
    drop(writer);
    file.keep()
}
