//! Messages about a statement whose outcome is unknown: a person must decide whether it was done.

use super::idempotence::altered_table;
use super::segments::NumberedStatement;
use super::statement_kind::StatementKind;
use super::statement_log::{self, EarlierAttempt};
use crate::error::Error;
use crate::migrate::MigrationStep;

/// The error for a statement of an interrupted run that must not run again without a decision.
pub(super) fn doubtful(
    step: &MigrationStep<'_>,
    one: &NumberedStatement<'_>,
    earlier: EarlierAttempt,
) -> Error {
    let place = one.statement.place(step.path, 0);
    if earlier == EarlierAttempt::OfAnotherStatement {
        let (table, which) = (statement_log::TABLE, which(step, one));
        return Error::failed(format!(
            "{place}: this statement was begun as another one by a run that was cut, and the file has changed since"
        ))
        .hint(format!(
            "put it back as it was; or undo by hand what is there of it, DELETE FROM {table} WHERE {which}, \
             and run it again"
        ));
    }
    let known = match (one.kind, earlier) {
        (StatementKind::NonTransactional, _) => "and may be done, in part, or not",
        (_, EarlierAttempt::DefinitionsChanged) => {
            "and may be done or not; since then definitions have changed"
        }
        _ => "and may be done or not; since then no definition has changed",
    };
    Error::failed(format!(
        "{place}: {} was begun by a run that was cut, {known}",
        one.statement.shortened()
    ))
    .hint(to_decide(step, one))
}

/// The hint how to decide about `one`, which an interrupted run has begun.
pub(super) fn to_decide(step: &MigrationStep<'_>, one: &NumberedStatement<'_>) -> String {
    let (table, which) = (statement_log::TABLE, which(step, one));
    let (look, undo) = match (one.kind, altered_table(&one.statement.sql)) {
        (_, Some(altered)) => (format!(", by SHOW CREATE TABLE {altered}"), ""),
        (StatementKind::NonTransactional, _) => {
            (", by the rows".to_owned(), "undo what is there of it, ")
        }
        _ => (String::new(), ""),
    };
    format!(
        "look whether it is done{look}; if so, UPDATE {table} SET state = 'done' WHERE {which}; if not, {undo}\
         DELETE FROM {table} WHERE {which}; then run it again"
    )
}

/// The condition for `one` in the log.
fn which(step: &MigrationStep<'_>, one: &NumberedStatement<'_>) -> String {
    format!("version = '{}' AND number = {}", step.version, one.number)
}
