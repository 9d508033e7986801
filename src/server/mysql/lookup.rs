//! A table's definition with its columns and its CHECKs of JSON by their names: a dump can have thousands of each.

use std::collections::{HashMap, HashSet};

use crate::dump::mysql::definition::{ColumnDefinition, TableDefinition, bare_check, json_check};

/// The definition of a table, and what is looked up in it.
pub(super) struct Lookup<'a> {
    pub(super) table: &'a TableDefinition,
    /// The columns by their names in lower case; the first of a name counts.
    columns: HashMap<String, &'a ColumnDefinition>,
    /// The CHECKs without a name, without quotes and blanks.
    unnamed: HashSet<String>,
}

impl<'a> Lookup<'a> {
    /// That of `table`.
    pub(super) fn of(table: &'a TableDefinition) -> Lookup<'a> {
        let mut lookup = Lookup {
            table,
            columns: HashMap::new(),
            unnamed: HashSet::new(),
        };
        for column in &table.columns {
            let name = column.name.to_ascii_lowercase();
            lookup.columns.entry(name).or_insert(column);
        }
        let unnamed = table.checks.iter().filter(|(name, _)| name.is_none());
        lookup.unnamed = unnamed.map(|(_, check)| bare_check(check)).collect();
        lookup
    }

    /// The column with this name, in either case.
    pub(super) fn column(&self, name: &str) -> Option<&'a ColumnDefinition> {
        self.columns.get(&name.to_ascii_lowercase()).copied()
    }

    /// Whether a CHECK without a name only says that the column holds JSON, as MariaDB writes that type.
    pub(super) fn is_json(&self, column: &str) -> bool {
        self.unnamed.contains(&json_check(column))
    }
}
