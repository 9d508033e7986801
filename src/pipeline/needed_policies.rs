//! After a value that needs a policy: which other columns of the table need one, so that they need not be found one by one.

use std::collections::BTreeMap;

use crate::dump::RowChunk;
use crate::rows::{
    Change, InvalidDates, InvalidUtf8, Nul, PlannedColumn, Storage, Tally, TranscodePlan,
    ValueKind, ValuePolicies, ZeroDates, transcode,
};

/// The columns among the rows of `chunk`, besides `known`, with values that `plan` refuses until a policy says what becomes
/// of them, and what these are. `out` is only a buffer for the rows: its content stays.
pub(super) fn that_need_a_policy(
    chunk: &RowChunk,
    plan: &TranscodePlan,
    known: &str,
    out: &mut Vec<u8>,
) -> BTreeMap<String, String> {
    let (before, mut tally) = (out.len(), Tally::default());
    // Rows after another error are not looked at.
    let _ = transcode(
        &lenient(plan),
        &chunk.bytes,
        chunk.first_row,
        out,
        &mut tally,
    );
    out.truncate(before);
    let refused = tally.iter().filter(|(name, change, _)| {
        let mut columns = plan.columns.iter();
        let column = columns.find(|column| column.name == *name);
        *name != known && column.is_some_and(|column| refuses(column, *change))
    });
    refused
        .map(|(name, change, _)| (name.to_owned(), change.found()))
        .collect()
}

/// `plan` with policies that take each value.
fn lenient(plan: &TranscodePlan) -> TranscodePlan {
    let mut plan = plan.clone();
    plan.layout = None;
    for column in &mut plan.columns {
        column.policies = ValuePolicies::lenient();
        match column.kind {
            ValueKind::Boolean => column.kind = ValueKind::Truthy,
            ValueKind::Time => {
                column.kind = ValueKind::Interval;
                column.storage = Storage::Interval;
            }
            _ => {}
        }
    }
    plan
}

/// Whether `column` refuses values that need this change.
fn refuses(column: &PlannedColumn, change: Change) -> bool {
    let policies = column.policies;
    match change {
        Change::ZeroDateToNull => policies.zero_dates == ZeroDates::Error,
        Change::InvalidDateToNull => policies.invalid_dates == InvalidDates::Error,
        Change::NulStripped => policies.nul == Nul::Error,
        Change::InvalidReplaced => policies.invalid_utf8 == InvalidUtf8::Error,
        Change::OutsideDay => column.kind == ValueKind::Time,
        // A wider type takes it otherwise.
        Change::NumberToTrue => column.kind == ValueKind::Boolean && column.wider.is_none(),
        _ => false,
    }
}
