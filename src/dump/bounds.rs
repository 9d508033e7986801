//! Bounds of what is kept of a dump: a hostile one may have many definitions and long names.

use crate::error::{Error, Result};

/// No definition, routine, function or view is longer. A longer statement would fill the memory.
pub(super) const MAX_STATEMENT_BYTES: usize = 16 * 1024 * 1024;

/// No server has more databases, and no database more views, triggers and routines, or tables with rows.
pub(super) const MAX_NAMES: usize = 10_000;

/// So many characters are kept of what a dump says about itself. Names have at most 64 characters or 63 bytes.
pub(super) const MAX_REMEMBERED: usize = 200;

/// No definition has more tokens; each takes many times the memory of its text.
pub(super) const MAX_TOKENS: usize = 100_000;

/// So many characters of a statement are shown in an error.
const SHOWN_CHARACTERS: usize = 60;

/// The beginning of `text` that is kept.
pub(super) fn remembered(text: &str) -> String {
    text.chars().take(MAX_REMEMBERED).collect()
}

/// Refuses one more of `kinds` where `known` are known already.
pub(super) fn check_count(known: usize, kinds: &str) -> Result<()> {
    if known < MAX_NAMES {
        return Ok(());
    }
    let what = format!("the dump has more than {MAX_NAMES} {kinds}");
    Err(Error::archive(what))
}

/// The error for a statement that is not known: it might change data.
pub(super) fn unknown_statement(statement: &str) -> Error {
    Error::failed(format!(
        "the dump holds a statement that is not understood: {}",
        shown(statement)
    ))
}

/// The error for a statement that is known, and that changes data in a way that a dump does not show. `why` says how.
pub(super) fn refused_statement(why: &str, statement: &str) -> Error {
    Error::failed(format!("{why}: {}", shown(statement)))
}

/// The beginning of `statement`, on one line.
pub(super) fn shown(statement: &str) -> String {
    let shown: String = statement.chars().take(SHOWN_CHARACTERS).collect();
    shown.replace(char::is_control, " ")
}
