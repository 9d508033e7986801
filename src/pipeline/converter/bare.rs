//! A table whose keys and indexes come later.

use crate::schema::Table;

/// `table` without keys and indexes, because more of them may follow the rows.
pub(super) fn bare(table: &Table) -> Table {
    Table {
        primary_key: None,
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        ..table.clone()
    }
}
