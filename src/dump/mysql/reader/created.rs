//! What the reader knows of the tables that the dump has created.

use std::collections::HashMap;

use crate::dump::mysql::definition::TableDefinition;

/// What becomes of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is passed on.
    Taken,
    /// It is not wanted.
    Skipped,
    /// It is left out, and reported as a thing of this kind.
    LeftOut(&'static str),
}

/// A table that the dump has created.
#[derive(Debug, Clone)]
pub(super) struct Created {
    pub(super) fate: Fate,
    pub(super) has_rows: bool,
    /// Whether its timestamps were in UTC when it was created; none if it has no timestamps.
    pub(super) utc: Option<bool>,
    /// The character set of the rows when it was created.
    pub(super) charset: Option<String>,
    /// Whether its server keeps the history of its rows.
    pub(super) is_versioned: bool,
}

impl Created {
    /// A table that is not passed on.
    pub(super) fn not_taken(fate: Fate) -> Created {
        Created {
            fate,
            has_rows: false,
            utc: None,
            charset: None,
            is_versioned: false,
        }
    }

    /// A table that is passed on.
    pub(super) fn taken(table: &TableDefinition, utc: bool, charset: Option<&str>) -> Created {
        let is_timestamp = |name: &str| name == "timestamp";
        let mut columns = table.columns.iter();
        Created {
            fate: Fate::Taken,
            has_rows: false,
            utc: columns
                .any(|column| is_timestamp(&column.data_type.name))
                .then_some(utc),
            charset: charset.map(str::to_owned),
            is_versioned: table.is_versioned(),
        }
    }
}

/// The tables that the dump has created and not dropped, by database and name.
#[derive(Debug, Default)]
pub(super) struct CreatedTables {
    by_name: HashMap<(Option<String>, String), Created>,
}

impl CreatedTables {
    pub(super) fn get_mut(&mut self, database: Option<&str>, name: &str) -> Option<&mut Created> {
        let key = (database.map(str::to_owned), name.to_owned());
        self.by_name.get_mut(&key)
    }

    pub(super) fn contains(&self, database: Option<&str>, name: &str) -> bool {
        let key = (database.map(str::to_owned), name.to_owned());
        self.by_name.contains_key(&key)
    }

    pub(super) fn insert(&mut self, database: Option<&str>, name: &str, created: Created) {
        let key = (database.map(str::to_owned), name.to_owned());
        self.by_name.insert(key, created);
    }

    pub(super) fn remove(&mut self, database: Option<&str>, name: &str) -> Option<Created> {
        let key = (database.map(str::to_owned), name.to_owned());
        self.by_name.remove(&key)
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// The name of a table of `database` that is passed on, if there is one.
    pub(super) fn taken_of(&self, database: &str) -> Option<&str> {
        let mut tables = self.by_name.iter();
        let found = tables.find(|((of, _), created)| {
            of.as_deref() == Some(database) && created.fate == Fate::Taken
        });
        found.map(|((_, name), _)| name.as_str())
    }
}

/// What the report calls a table that holds no rows itself, by its engine: its rows are those of other tables, or on
/// another server. mysqldump writes no rows of them.
pub(super) fn engine_without_rows(table: &TableDefinition) -> Option<&'static str> {
    let is_sequence = |what: &str| what.strip_prefix("SEQUENCE=").is_some_and(|is| is != "0");
    if table
        .options
        .storage
        .iter()
        .any(|option| is_sequence(&option.what))
    {
        return Some("sequence");
    }
    let kinds = [
        ("MERGE", "MERGE table"),
        ("MRG_MYISAM", "MERGE table"),
        ("MRG_ISAM", "MERGE table"),
        ("FEDERATED", "FEDERATED table"),
        ("FEDERATEDX", "FEDERATED table"),
        ("SPIDER", "SPIDER table"),
        ("CONNECT", "CONNECT table"),
        ("SPHINX", "SPHINX table"),
        ("OQGRAPH", "OQGRAPH table"),
        ("VP", "VP table"),
        ("NDBINFO", "NDBINFO table"),
        ("PERFORMANCE_SCHEMA", "PERFORMANCE_SCHEMA table"),
    ];
    let engine = table.options.engine.as_deref()?;
    let found = kinds
        .iter()
        .find(|(name, _)| engine.eq_ignore_ascii_case(name));
    found.map(|(_, kind)| *kind)
}
