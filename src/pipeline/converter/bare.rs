//! A table of which keys and indexes come later.

use crate::schema::Table;

/// `table` without keys and indexes, of which more may come behind its rows.
pub(super) fn bare(table: &Table) -> Table {
    Table {
        primary_key: None,
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        ..table.clone()
    }
}
