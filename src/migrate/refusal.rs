//! Why a statement is not allowed in a migration, where the reason is the same for every server.

use crate::error::{Error, Result};

/// The error for a statement: what is wrong with it, and what to do instead.
pub(crate) fn refused(what: impl Into<String>, hint: &str) -> Result<()> {
    Err(Error::failed(what).hint(hint))
}

/// The error for a statement that changes the encoding of the text.
pub(crate) fn refused_encoding(hint: &str) -> Result<()> {
    refused("the text of a migration is UTF-8, for the server too", hint)
}

/// Whether `statement` names one of the `encodings`, in any case.
pub(crate) fn names_any(statement: &str, encodings: &[&str]) -> bool {
    let statement = statement.to_ascii_lowercase();
    encodings.iter().any(|name| statement.contains(name))
}
