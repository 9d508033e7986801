//! A table whose definition has changed after its rows.

use super::model::{Column, Table};

impl Table {
    /// Takes over what `after` has and `before` had not. The table itself is what the target has made of `before`: columns
    /// may have wider types, and defaults that the server refuses are left out.
    pub fn take_over(&mut self, before: &Table, after: &Table) {
        let columns = self.columns.iter_mut();
        for (column, (known, new)) in columns.zip(before.columns.iter().zip(&after.columns)) {
            if known.comment != new.comment {
                column.comment.clone_from(&new.comment);
            }
            if has_other_default(known, new) {
                column.default.clone_from(&new.default);
            }
            if known.not_null != new.not_null {
                column.not_null = new.not_null;
                column.not_null_after_load = new.not_null;
            }
        }
        if before.primary_key.is_none() {
            self.primary_key.clone_from(&after.primary_key);
        }
        let new = after.indexes.get(before.indexes.len()..);
        self.indexes.extend_from_slice(new.unwrap_or_default());
        self.foreign_keys.clone_from(&after.foreign_keys);
        self.checks.clone_from(&after.checks);
        self.comment.clone_from(&after.comment);
        self.on_update.clone_from(&after.on_update);
        match (&mut self.sequence, &after.sequence) {
            (Some(sequence), Some(new)) => sequence.next_at_least = new.next_at_least,
            (sequence, new) => sequence.clone_from(new),
        }
    }
}

/// Whether the default of the column `known` is another one in `new`, and not only because of the type.
pub(super) fn has_other_default(known: &Column, new: &Column) -> bool {
    let mut known = known.clone();
    if let Some(to) = known.wider.filter(|_| known.data_type != new.data_type) {
        known.widen(to);
    }
    known.default != new.default
}
