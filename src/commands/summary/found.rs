//! Where reports are: files and folders of this machine, objects and prefixes of an object storage.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::error::{Doing, Error, Result};
use crate::output::Place;
use crate::storage::{self, Opened};

/// The most that a report may have: one of an import with a hundred thousand tables has less.
const MOST_BYTES: u64 = 256 << 20;

/// The ending of the reports in a folder.
const ENDING: &str = ".json";

/// What a path or URL names.
pub(super) struct Found {
    pub(super) reports: Vec<Place>,
    /// Whether they are in a folder, which may have other files, too.
    pub(super) is_folder: bool,
}

impl Found {
    /// What is at `path`: the reports of a folder, in the order of their names, or the one that is named.
    pub(super) fn at(path: &Path, timeout: Duration) -> Result<Found> {
        let place = Place::of(path)?;
        if let Place::Object(url) = &place
            && url.is_prefix()
        {
            let mut objects = storage::list(url, timeout)?;
            objects.retain(|object| object.name.ends_with(ENDING));
            objects.sort_by(|a, b| a.name.cmp(&b.name));
            let reports = objects.into_iter();
            return Ok(Found {
                reports: reports.map(|object| Place::Object(object.url)).collect(),
                is_folder: true,
            });
        }
        if matches!(place, Place::Object(_)) || !path.is_dir() {
            return Ok(Found {
                reports: vec![place],
                is_folder: false,
            });
        }
        let doing = || format!("read {}", path.display());
        let mut files = Vec::new();
        for entry in fs::read_dir(path).doing(doing())? {
            let file = entry.doing(doing())?.path();
            if file.to_string_lossy().ends_with(ENDING) && file.is_file() {
                files.push(file);
            }
        }
        files.sort();
        Ok(Found {
            reports: files.into_iter().map(Place::File).collect(),
            is_folder: true,
        })
    }
}

/// The bytes of the report at `place`.
pub(super) fn read(place: &Place, timeout: Duration) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let reader: Box<dyn Read> = match place {
        Place::File(path) => {
            let file = File::open(path).map_err(|cause| {
                Error::usage(format!("cannot read {}: {cause}", path.display()))
            })?;
            Box::new(file)
        }
        Place::Object(url) => match storage::open(url, timeout)? {
            Opened::Object(object) => Box::new(object.whole()),
            Opened::Stream(stream) => stream,
        },
    };
    let doing = || format!("read {place}");
    let count = reader.take(MOST_BYTES).read_to_end(&mut bytes);
    if count.doing(doing())? as u64 == MOST_BYTES {
        return Err(Error::usage(format!(
            "{place} is too large for a report of ci-import"
        )));
    }
    Ok(bytes)
}
