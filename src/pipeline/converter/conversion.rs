//! What all converters have in common: the sink, the policies, which tables are taken, the notes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::dump::{InsertTarget, RowChunk};
use crate::error::{Error, Result};
use crate::pipeline::planned_rows::PlannedRows;
use crate::pipeline::sink::Sink;
use crate::rows::{Layout, Normal, TranscodePlan};
use crate::schema::Note;
use crate::schema::policies::Policies;

/// Judges the name of a table before anything is done with it.
pub type Accept = Box<dyn Fn(&str) -> Result<()> + Send>;

/// Returns the prefix that the texts of a column of a table may get after they were loaded.
pub type LatePrefix = fn(&str, &str) -> Option<&'static str>;

/// A conversion of a dump for a sink.
pub struct Conversion<S> {
    /// Where the tables go.
    pub sink: S,
    /// What the target gets differently.
    pub notes: Vec<Note>,
    pub(super) policies: Policies,
    pub(super) accept: Accept,
    pub(super) by_name: HashMap<String, Taken>,
    pub(super) route: Option<Route>,
    /// Set if rows are to be hashed.
    pub(super) late_prefix: Option<LatePrefix>,
}

/// What is done with the rows of a table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Taken {
    /// They go into the table of this number.
    Into(usize),
    /// They are read over.
    Not,
}

/// How the rows behind one head of INSERT go.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) insert: Arc<InsertTarget>,
    pub(super) table: usize,
    pub(super) statement: Arc<str>,
    pub(super) plan: Arc<TranscodePlan>,
}

impl<S> Conversion<S> {
    /// A conversion for `sink` by `policies`; `accept` judges the names of tables. With `late_prefix`
    /// rows are hashed.
    pub fn new(
        sink: S,
        policies: Policies,
        accept: Accept,
        late_prefix: Option<LatePrefix>,
    ) -> Self {
        Conversion {
            sink,
            notes: Vec::new(),
            policies,
            accept,
            by_name: HashMap::new(),
            route: None,
            late_prefix,
        }
    }

    /// Whether `table` is to be taken; an error if it may not.
    pub(super) fn takes(&mut self, table: &str) -> Result<bool> {
        if !self.policies.takes_table(table) {
            self.by_name.insert(table.to_owned(), Taken::Not);
            return Ok(false);
        }
        (self.accept)(table).map(|()| true)
    }

    /// The number of the table that the rows of `table` go into; none if they are read over. `hint` is
    /// for a dump that does not define it.
    pub(super) fn number_of(&self, table: &str, hint: &str) -> Result<Option<usize>> {
        match self.by_name.get(table) {
            Some(Taken::Into(number)) => Ok(Some(*number)),
            Some(Taken::Not) => Ok(None),
            None if !self.policies.takes_table(table) => Ok(None),
            None => Err(Error::failed(format!(
                "the dump has rows of {table}, but not its definition"
            ))
            .hint(hint)),
        }
    }

    /// The route of the rows behind `insert`, if it is that of the rows before.
    pub(super) fn known_route(&self, insert: &Arc<InsertTarget>) -> Option<Route> {
        let known = self.route.as_ref();
        known
            .filter(|route| Arc::ptr_eq(&route.insert, insert))
            .cloned()
    }

    /// How rows of `table` are hashed, if they are to be. `written` are their columns, in their order, each
    /// with how its values are compared; `place` tells where a column is in the table.
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

    /// Hands `chunk` to the sink by `route`, which is kept for the next one.
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
        self.route = Some(route);
        self.sink.rows(rows)
    }
}
