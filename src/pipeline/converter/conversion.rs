//! The shared parts of all converters: the sink, the policies, the accepted tables, the notes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::dump::{InsertTarget, RowChunk};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::pipeline::planned_rows::PlannedRows;
use crate::pipeline::sink::Sink;
use crate::rows::{Layout, Normal, TranscodePlan};
use crate::schema::Note;
use crate::schema::policies::Policies;

/// Refuses a table: by its database, if that becomes a schema, and its name.
pub type Check = Box<dyn Fn(Option<&str>, &str) -> Result<()> + Send>;

/// Which tables of a dump may be used.
pub struct Accept {
    /// Asked before a table is used.
    pub tables: Check,
    /// Asked before the first rows of a table: one without rows may stand in for a view, and be dropped again.
    pub rows: Check,
}

impl Accept {
    /// Those that `tables` does not refuse.
    #[must_use]
    pub fn by(tables: impl Fn(Option<&str>, &str) -> Result<()> + Send + 'static) -> Accept {
        Accept {
            tables: Box::new(tables),
            rows: Box::new(|_, _| Ok(())),
        }
    }
}

/// Returns the prefix that the texts of a column may get after the load.
pub type LatePrefix = fn(&str, &str) -> Option<&'static str>;

/// A conversion of a dump for a sink.
pub struct Conversion<S> {
    /// The sink of the tables.
    pub sink: S,
    /// The differences in the target.
    pub notes: Vec<Note>,
    /// Tables without rows that the dump has dropped again, by their names as shown.
    dropped_empty: Vec<String>,
    /// The numbers of tables that had rows.
    with_rows: HashSet<usize>,
    pub(super) policies: Policies,
    pub(super) accept: Accept,
    by_name: HashMap<TableKey, Taken>,
    pub(super) route: Option<Route>,
    /// Set if rows are hashed.
    pub(super) late_prefix: Option<LatePrefix>,
}

/// The database of a table, if that becomes a schema, and the name of the table.
type TableKey = (Option<String>, String);

/// What happens to the rows of a table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Taken {
    /// They go into the table with this number.
    Into(usize),
    /// They are skipped.
    Not,
}

/// The plan for the rows after one head of INSERT.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) insert: Arc<InsertTarget>,
    pub(super) table: usize,
    pub(super) statement: Arc<str>,
    pub(super) plan: Arc<TranscodePlan>,
}

impl<S> Conversion<S> {
    /// A conversion for `sink` with `policies`; `accept` checks the names of tables. With `late_prefix`, rows
    /// are hashed.
    pub fn new(
        sink: S,
        policies: Policies,
        accept: Accept,
        late_prefix: Option<LatePrefix>,
    ) -> Self {
        Conversion {
            sink,
            notes: Vec::new(),
            dropped_empty: Vec::new(),
            with_rows: HashSet::new(),
            policies,
            accept,
            by_name: HashMap::new(),
            route: None,
            late_prefix,
        }
    }

    /// Whether `table` is converted; an error if it is refused.
    pub(super) fn takes(&mut self, database: Option<&str>, table: &str) -> Result<bool> {
        if !self.policies.takes_table(database, table) {
            self.keep(database, table, Taken::Not);
            return Ok(false);
        }
        (self.accept.tables)(database, table).map(|()| true)
    }

    /// Keeps what happens to the rows of a table.
    pub(super) fn keep(&mut self, database: Option<&str>, table: &str, taken: Taken) {
        self.by_name.insert(key_of(database, table), taken);
    }

    /// What happens to the rows of a table, if the table is known.
    pub(super) fn taken(&self, database: Option<&str>, table: &str) -> Option<Taken> {
        self.by_name.get(&key_of(database, table)).copied()
    }

    /// Tells that the dump drops `table` again, which had the number `from` if it had one.
    pub(super) fn tell_dropped(&mut self, table: String, from: Option<usize>) {
        if from.is_some_and(|number| self.with_rows.contains(&number)) {
            self.notes.push(dropped_note(table));
        } else {
            self.dropped_empty.push(table);
        }
    }

    /// The notes of the tables without rows that were dropped again, but for those that stood in for one of the `views`:
    /// phpMyAdmin and mysqldump create a table for each view, and drop it when they come to the view.
    pub(crate) fn take_dropped_empty(&mut self, views: &HashSet<&str>) -> Vec<Note> {
        let dropped = std::mem::take(&mut self.dropped_empty).into_iter();
        let told = dropped.filter(|table| !views.contains(table.as_str()));
        told.map(dropped_note).collect()
    }

    /// Forgets a table that was dropped. Returns what happened to its rows.
    pub(super) fn forget(&mut self, database: Option<&str>, table: &str) -> Option<Taken> {
        self.by_name.remove(&key_of(database, table))
    }

    /// Tells `see` the database, if that becomes a schema, and the name of each table so far.
    pub(crate) fn see_tables(&self, see: impl Fn(Option<&str>, &str)) {
        for (database, name) in self.by_name.keys() {
            see(database.as_deref(), name);
        }
    }

    /// The names of the tables so far.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(|(_, name)| name.as_str())
    }

    /// The number of the table for rows of `table`; none if they are skipped. `hint` is for a dump without
    /// its definition.
    pub(super) fn number_of(
        &self,
        database: Option<&str>,
        table: &str,
        hint: &str,
    ) -> Result<Option<usize>> {
        match self.taken(database, table) {
            Some(Taken::Into(number)) => Ok(Some(number)),
            Some(Taken::Not) => Ok(None),
            None if !self.policies.takes_table(database, table) => Ok(None),
            None => Err(Error::failed(format!(
                "the dump has rows of {table}, but not its definition"
            ))
            .hint(hint)),
        }
    }

    /// The route of the rows after `insert`, if it is the same as that of the previous rows.
    pub(super) fn known_route(&self, insert: &Arc<InsertTarget>) -> Option<Route> {
        let known = self.route.as_ref();
        known
            .filter(|route| Arc::ptr_eq(&route.insert, insert))
            .cloned()
    }

    /// How rows of `table` are hashed, if they are. `written` are the columns in the order of the rows, each
    /// with its normal form; `place` returns the position of a column in the table.
    pub(super) fn layout(
        &self,
        table: &str,
        written: &[(&str, Normal)],
        place: impl Fn(&str) -> Option<usize>,
    ) -> Option<Layout> {
        let late_prefix = self.late_prefix?;
        let columns: Vec<(String, Normal)> = written
            .iter()
            .map(|(name, normal)| {
                let prefix = late_prefix(table, name);
                let normal = prefix.map_or(*normal, Normal::WithoutPrefix);
                ((*name).to_owned(), normal)
            })
            .collect();
        Some(Layout::new(&columns, |name| {
            place(name).unwrap_or(usize::MAX)
        }))
    }

    /// Passes `chunk` to the sink by `route`, and keeps the route for the next chunk.
    pub(super) fn give<T>(&mut self, route: Route, chunk: RowChunk) -> Result<()>
    where
        S: Sink<T>,
    {
        let rows = PlannedRows {
            table: route.table,
            statement: Arc::clone(&route.statement),
            plan: Arc::clone(&route.plan),
            chunk,
        };
        if self.with_rows.insert(route.table) {
            let insert = &route.insert;
            (self.accept.rows)(insert.database.as_deref(), &insert.table)?;
        }
        self.route = Some(route);
        self.sink.rows(rows)
    }
}

fn dropped_note(table: String) -> Note {
    Note {
        code: Code::TableDropped,
        table,
        item: None,
        what: "the dump drops this table again".to_owned(),
    }
}

fn key_of(database: Option<&str>, table: &str) -> TableKey {
    (database.map(str::to_owned), table.to_owned())
}
