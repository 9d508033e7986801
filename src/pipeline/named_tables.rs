//! The tables that the user names, and which of them the dump has: a name with a typing error is told.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::codes::Code;
use crate::schema::Note;
use crate::schema::policies::Policies;

/// The tables that the user names.
pub(super) struct NamedTables {
    /// Each name, and where it stands.
    names: HashMap<String, &'static str>,
    /// Those that the dump has.
    seen: Mutex<HashSet<String>>,
}

impl NamedTables {
    /// Those that `policies` name, if there are any.
    pub(super) fn of(policies: &Policies) -> Option<Arc<NamedTables>> {
        let mut names = HashMap::new();
        let mut name = |tables: &mut dyn Iterator<Item = &str>, place| {
            for table in tables {
                names.entry(table.to_owned()).or_insert(place);
            }
        };
        name(
            &mut policies.skip_tables.iter().map(String::as_str),
            "--skip-table",
        );
        name(
            &mut policies.only_tables.iter().map(String::as_str),
            "--only-table",
        );
        name(&mut policies.map.tables(), "the map");
        // A name with a database has more dots than one.
        let columns = policies.skip_columns.iter();
        let columns = columns.filter(|(_, column)| !column.contains('.'));
        name(
            &mut columns.map(|(table, _)| table.as_str()),
            "--skip-column",
        );
        let tables = NamedTables {
            names,
            seen: Mutex::default(),
        };
        (!tables.names.is_empty()).then(|| Arc::new(tables))
    }

    /// The dump has this table.
    pub(super) fn see(&self, database: Option<&str>, table: &str) {
        let qualified = database.map(|database| format!("{database}.{table}"));
        for name in qualified.as_deref().into_iter().chain([table]) {
            if self.names.contains_key(name) {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                if !seen.contains(name) {
                    seen.insert(name.to_owned());
                }
            }
        }
    }

    /// Notes of the tables that the dump does not have.
    pub(super) fn missing(&self) -> Vec<Note> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = self.names.iter().filter(|(name, _)| !seen.contains(*name));
        let note = |(name, place): (&String, &&str)| Note {
            code: Code::NotInDump,
            table: name.clone(),
            item: None,
            what: format!("{place} names this table, which the dump does not have"),
        };
        let mut notes: Vec<Note> = missing.map(note).collect();
        notes.sort_unstable_by(|a, b| a.table.cmp(&b.table));
        notes
    }
}
