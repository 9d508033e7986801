//! Where something is: a file of this machine, or an object in an object storage.

use std::fmt;
use std::path::{Path, PathBuf};

use super::file::url_in;
use crate::error::Result;
use crate::storage::ObjectUrl;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// An object.
    Object(ObjectUrl),
}

impl Place {
    /// The one that `path` names.
    pub fn of(path: &Path) -> Result<Place> {
        match url_in(path) {
            Some(url) => url.map(Place::Object),
            None => Ok(Place::File(path.to_owned())),
        }
    }

    /// The name of the file or of the object.
    #[must_use]
    pub fn name(&self) -> &Path {
        match self {
            Place::File(path) => path,
            Place::Object(url) => Path::new(url.name()),
        }
    }
}

/// A URL is shown without what may be secret.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => path.display().fmt(f),
            Place::Object(url) => url.fmt(f),
        }
    }
}
