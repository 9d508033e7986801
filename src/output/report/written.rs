//! Tries the place of a report, and writes it there.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use memchr::memmem;

use crate::error::{Doing, Error, Kind, Result};
use crate::output::file::{Access, OutputFile};
use crate::output::place::Place;
use crate::storage::{self, Upload, Writing};

/// What the beginning of each report has.
const MARK: &[u8] = b"ci-import";

/// How many bytes the beginning is.
const MARK_WITHIN: u64 = 1024;

/// An error if nothing can be written there, or if something is there that is not replaced.
pub(super) fn examine(place: &Place, writing: &Writing) -> Result<()> {
    match place {
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

/// Writes a report there.
pub(super) fn write(place: &Place, text: String, writing: &Writing) -> Result<()> {
    match place {
        Place::File(path) => write_file(path, &text),
        Place::Object(url) => storage::put(url, text.into_bytes(), writing),
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
    let doing = format!("write {}", path.display());
    file.fill(text.as_bytes()).doing(doing)?;
    file.keep()
}
