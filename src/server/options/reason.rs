//! The reason why something cannot be read or connected to.

use std::path::Path;

use crate::error::Error;

/// A reason and, if there is one, a hint.
pub(crate) struct Why {
    pub(crate) reason: String,
    pub(crate) hint: Option<String>,
}

impl Why {
    pub(crate) fn new(reason: impl Into<String>, hint: impl Into<String>) -> Why {
        Why {
            reason: reason.into(),
            hint: Some(hint.into()),
        }
    }
}

/// The error for a named file that cannot be read.
pub(crate) fn unreadable(file: &Path, cause: &std::io::Error) -> Error {
    Error::usage(format!("cannot read {}: {cause}", file.display()))
}
