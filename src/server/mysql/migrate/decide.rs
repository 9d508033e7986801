//! What people are told who have to decide whether a statement was done: nobody else can know.

use super::kind::Kind;
use super::segments::Numbered;
use super::steps::{self, Doubt};
use super::twice::altered_table;
use crate::error::Error;
use crate::migrate::Step;

/// The error that it cannot be told whether `one` was done, and that doing it once more may be wrong.
pub(super) fn doubtful(step: &Step<'_>, one: &Numbered<'_>, doubt: Doubt) -> Error {
    let place = one.statement.place(step.path, 0);
    if doubt == Doubt::Another {
        let (table, which) = (steps::TABLE, which(step, one));
        return Error::failed(format!(
            "{place}: this statement was begun as another one by a run that was cut, and the file has changed since"
        ))
        .hint(format!(
            "put it back as it was; or undo by hand what is there of it, DELETE FROM {table} WHERE {which}, \
             and run it again"
        ));
    }
    let known = match (one.kind, doubt) {
        (Kind::Unprotected, _) => "and may be done, in part, or not",
        (_, Doubt::Changed) => "and may be done or not; since then definitions have changed",
        _ => "and may be done or not; since then no definition has changed",
    };
    Error::failed(format!(
        "{place}: {} was begun by a run that was cut, {known}",
        one.statement.shortened()
    ))
    .hint(to_decide(step, one))
}

/// What is to be done where `one` was begun by a run that was cut.
pub(super) fn to_decide(step: &Step<'_>, one: &Numbered<'_>) -> String {
    let (table, which) = (steps::TABLE, which(step, one));
    let (look, undo) = match (one.kind, altered_table(&one.statement.sql)) {
        (_, Some(altered)) => (format!(", by SHOW CREATE TABLE {altered}"), ""),
        (Kind::Unprotected, _) => (", by the rows".to_owned(), "undo what is there of it, "),
        _ => (String::new(), ""),
    };
    format!(
        "look whether it is done{look}; if so, UPDATE {table} SET state = 'done' WHERE {which}; if not, {undo}\
         DELETE FROM {table} WHERE {which}; then run it again"
    )
}

/// Which step `one` is.
fn which(step: &Step<'_>, one: &Numbered<'_>) -> String {
    format!("version = '{}' AND number = {}", step.version, one.number)
}
