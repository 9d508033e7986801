//! What the reader knows of the tables that the dump has created.

use std::collections::{HashMap, VecDeque};

use crate::dump::Facts;
use crate::dump::mysql::definition::{LeftOut, TableDefinition, alter_table, parse_table};
use crate::dump::quoting::Quoting;
use crate::error::Result;
use crate::error::codes::Code;

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
#[derive(Debug)]
pub(super) struct Created {
    pub(super) fate: Fate,
    pub(super) has_rows: bool,
    /// The number of the file that has created it.
    pub(super) file: usize,
    /// Whether its timestamps were in UTC when it was created; none if it has no timestamps.
    pub(super) utc: Option<bool>,
    /// Whether its server keeps the history of its rows.
    pub(super) is_versioned: bool,
    /// What the dump said of it when it was created.
    pub(super) facts: Facts,
    pub(super) state: State,
    /// Whether types of its columns depend on keys that may still come.
    pub(super) is_undecided: bool,
    /// The bytes of the statements that define it.
    pub(super) length: usize,
    pub(super) definition: Definition,
    /// The columns whose values are stored, once they were asked for.
    pub(super) stored_columns: Option<Box<[String]>>,
}

/// How much of a table was passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing: statements may still change all of it.
    Waiting,
    /// All that is known.
    Given,
    /// An earlier definition.
    Changed,
}

/// What a table is like now.
#[derive(Debug)]
pub(super) enum Definition {
    /// It is not known, nor wanted.
    None,
    /// As this statement says, which takes less memory.
    Text(Statement),
    /// So; and the statement that says so, if there is one.
    Parsed(Box<TableDefinition>, Option<Statement>),
}

/// A CREATE TABLE, and how it is quoted.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) text: Box<str>,
    pub(super) quoting: Quoting,
}

impl Created {
    /// A table that is not passed on.
    pub(super) fn not_taken(fate: Fate) -> Created {
        Created {
            fate,
            has_rows: false,
            file: 0,
            utc: None,
            is_versioned: false,
            facts: Facts::default(),
            state: State::Given,
            is_undecided: false,
            length: 0,
            definition: Definition::None,
            stored_columns: None,
        }
    }

    /// A table that is passed on later, defined by `statement`.
    pub(super) fn taken(table: TableDefinition, statement: Statement, facts: Facts) -> Created {
        let mut created = Created {
            fate: Fate::Taken,
            has_rows: false,
            file: 0,
            utc: None,
            is_versioned: table.is_versioned(),
            facts,
            state: State::Waiting,
            is_undecided: false,
            length: statement.text.len(),
            definition: Definition::Parsed(table.into(), Some(statement)),
            stored_columns: None,
        };
        created.look_for_timestamps(created.facts.utc);
        created
    }

    /// Notes whether timestamps are in UTC, if the table has any now.
    fn look_for_timestamps(&mut self, utc: bool) {
        let Definition::Parsed(table, _) = &self.definition else {
            return;
        };
        let mut columns = table.columns.iter();
        if self.utc.is_none() && columns.any(|column| column.data_type.name == "timestamp") {
            self.utc = Some(utc);
        }
    }

    /// What the dump says of the table.
    pub(super) fn facts(&self) -> Facts {
        Facts {
            keys_follow: self.is_undecided,
            ..self.facts.clone()
        }
    }

    /// The definition that is passed on for the first time.
    pub(super) fn pass_on(&mut self) -> Option<TableDefinition> {
        self.state = State::Given;
        match std::mem::replace(&mut self.definition, Definition::None) {
            Definition::Parsed(table, Some(statement)) => {
                self.definition = Definition::Text(statement);
                Some(*table)
            }
            Definition::Parsed(table, None) => {
                let copy = (*table).clone();
                self.definition = Definition::Parsed(table, None);
                Some(copy)
            }
            Definition::Text(_) | Definition::None => None,
        }
    }

    /// The definition as it is now. `database` is the one of the table.
    pub(super) fn defined(
        &mut self,
        database: Option<&str>,
    ) -> Result<Option<&mut TableDefinition>> {
        if let Definition::Text(statement) = &self.definition {
            let table = parsed(statement, database)?;
            self.definition = Definition::Parsed(table.into(), None);
        }
        Ok(match &mut self.definition {
            Definition::Parsed(table, _) => Some(table),
            Definition::Text(_) | Definition::None => None,
        })
    }

    /// The columns whose values are stored: all but the generated ones.
    pub(super) fn stored_columns(&mut self, database: Option<&str>) -> Result<&[String]> {
        if self.stored_columns.is_none() {
            let of = |table: &TableDefinition| {
                let stored = table.columns.iter().filter(|it| it.generated.is_none());
                stored.map(|column| column.name.clone()).collect()
            };
            self.stored_columns = match &self.definition {
                Definition::Parsed(table, _) => Some(of(table)),
                Definition::Text(statement) => Some(of(&parsed(statement, database)?)),
                Definition::None => None,
            };
        }
        Ok(self.stored_columns.as_deref().unwrap_or_default())
    }

    /// Changes the table as `statement` says; returns whether an expression of it has a NOT. `utc` says whether timestamps
    /// are in UTC now.
    pub(super) fn alter(
        &mut self,
        statement: &Statement,
        database: Option<&str>,
        utc: bool,
    ) -> Result<bool> {
        let is_given = self.state != State::Waiting;
        let Some(table) = self.defined(database)? else {
            return Ok(false);
        };
        let has_not = alter_table(table, &statement.text, statement.quoting, is_given)?;
        leave_out_foreign_keys(table, database);
        self.length += statement.text.len();
        self.stored_columns = None;
        if let Definition::Parsed(_, text) = &mut self.definition {
            *text = None;
        }
        if is_given {
            self.state = State::Changed;
        }
        self.look_for_timestamps(utc);
        Ok(has_not)
    }
}

/// The table of `database` that `statement` defines.
fn parsed(statement: &Statement, database: Option<&str>) -> Result<TableDefinition> {
    let mut table = parse_table(&statement.text, statement.quoting)?.table;
    leave_out_foreign_keys(&mut table, database);
    Ok(table)
}

/// Leaves out the foreign keys to tables of other databases than `database`. A table of the same name in this one would
/// be another table.
pub(super) fn leave_out_foreign_keys(table: &mut TableDefinition, database: Option<&str>) {
    let left_out = &mut table.left_out;
    table.foreign_keys.retain(|key| {
        let other = key.database.as_deref().filter(|of| Some(*of) != database);
        if let Some(other) = other {
            let what = format!(
                "the foreign key was left out: it references {} in the database {other}",
                key.references
            );
            left_out.push(LeftOut::new(
                Code::ForeignKeyLeftOut,
                key.name.clone(),
                what,
            ));
        }
        other.is_none()
    });
}

/// The database of a table, if it is known, and its name.
pub(super) type Key = (Option<String>, String);

/// The tables that the dump has created and not dropped, by database and name.
#[derive(Debug, Default)]
pub(super) struct CreatedTables {
    by_name: HashMap<Key, Created>,
    /// The tables that wait, in the order of the dump. Some of them were dropped.
    waiting: VecDeque<Key>,
    /// The tables that have changed since they were passed on, and those that are undecided, likewise.
    changed: VecDeque<Key>,
}

impl CreatedTables {
    pub(super) fn get_mut(&mut self, database: Option<&str>, name: &str) -> Option<&mut Created> {
        self.of_key(&(database.map(str::to_owned), name.to_owned()))
    }

    pub(super) fn of_key(&mut self, key: &Key) -> Option<&mut Created> {
        self.by_name.get_mut(key)
    }

    pub(super) fn contains(&self, database: Option<&str>, name: &str) -> bool {
        let key = (database.map(str::to_owned), name.to_owned());
        self.by_name.contains_key(&key)
    }

    pub(super) fn insert(&mut self, database: Option<&str>, name: &str, created: Created) {
        let key = (database.map(str::to_owned), name.to_owned());
        if created.state == State::Waiting {
            self.waiting.push_back(key.clone());
        }
        self.by_name.insert(key, created);
    }

    pub(super) fn remove(&mut self, database: Option<&str>, name: &str) -> Option<Created> {
        let key = (database.map(str::to_owned), name.to_owned());
        self.by_name.remove(&key)
    }

    /// The next table that waits.
    pub(super) fn next_waiting(&mut self) -> Option<Key> {
        let is_waiting = |key: &Key| {
            let created = self.by_name.get(key);
            created.is_some_and(|created| created.state == State::Waiting)
        };
        std::iter::from_fn(|| self.waiting.pop_front()).find(is_waiting)
    }

    /// Remembers that a table has changed, or is undecided.
    pub(super) fn is_changed(&mut self, key: Key) {
        self.changed.push_back(key);
    }

    /// The next of these tables.
    pub(super) fn next_changed(&mut self) -> Option<Key> {
        let is_changed = |key: &Key| {
            let created = self.by_name.get(key);
            created.is_some_and(|created| created.state == State::Changed || created.is_undecided)
        };
        std::iter::from_fn(|| self.changed.pop_front()).find(is_changed)
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
