//! Between a MySQL dump and whatever takes its tables for a MySQL server: maps definitions, and plans
//! how rows go.

use std::collections::HashMap;
use std::sync::Arc;

use super::capabilities::Offers;
use super::mapping::{Table, map};
use crate::dump::charset::{Charset, Multibyte};
use crate::dump::converted::Part;
use crate::dump::mysql::definition::TableDefinition;
use crate::dump::{Consumer, Facts, InsertTarget, RowChunk};
use crate::error::{Error, Result};
use crate::pipeline::converter::{Accept, LatePrefix, PlannedRows, without_definition};
use crate::rows::{Format, Layout, Normal, Plan, PlannedColumn, Storage, ValueKind, Written};
use crate::schema::Note;
use crate::schema::policies::Policies;
use crate::verify::Expected;

/// What takes tables for a MySQL server.
pub trait Sink {
    /// A table; its rows, if any, follow.
    fn table(&mut self, table: &Table) -> Result<()>;
    /// Rows of a table that came before.
    fn rows(&mut self, rows: PlannedRows) -> Result<()>;
    /// The buffer of a chunk that is done with, to be filled again, if there is one.
    fn spare(&mut self) -> Option<Vec<u8>>;
    /// The statement for rows of `table` that have `columns`.
    fn statement(&self, table: &Table, columns: &[PlannedColumn]) -> String;
}

/// A sink that only hashes, and tells what a target should have.
pub struct Hashed(pub Expected);

impl Sink for Hashed {
    fn table(&mut self, table: &Table) -> Result<()> {
        self.0.add(&table.definition.name, table.numbered());
        Ok(())
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        self.0.hash(rows)
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.0.given_back()
    }

    fn statement(&self, _: &Table, _: &[PlannedColumn]) -> String {
        String::new()
    }
}

/// The consumer of a dump that maps it for a sink.
pub struct Converter<S> {
    /// Where the tables go.
    pub sink: S,
    /// What the server gets differently.
    pub notes: Vec<Note>,
    policies: Policies,
    accept: Accept,
    offers: Offers,
    tables: Vec<Table>,
    /// The numbers of the tables by their names; none of those that are read over.
    by_name: HashMap<String, Option<usize>>,
    multibyte: Multibyte,
    route: Option<Route>,
    /// Set if rows are to be hashed.
    late_prefix: Option<LatePrefix>,
}

/// How rows of one head of INSERT go.
#[derive(Debug, Clone)]
struct Route {
    insert: Arc<InsertTarget>,
    table: usize,
    statement: Arc<str>,
    plan: Arc<Plan>,
}

impl<S: Sink> Converter<S> {
    /// A converter for `sink`, of a server that has what it `offers`; `accept` judges the names of
    /// tables.
    pub fn new(sink: S, offers: Offers, policies: Policies, accept: Accept) -> Self {
        Converter {
            sink,
            notes: Vec::new(),
            policies,
            accept,
            offers,
            tables: Vec::new(),
            by_name: HashMap::new(),
            multibyte: Multibyte::None,
            route: None,
            late_prefix: None,
        }
    }

    /// Has the rows hashed; texts in their columns may get a prefix later, as `late_prefix` says.
    #[must_use]
    pub fn hashing(mut self, late_prefix: LatePrefix) -> Self {
        self.late_prefix = Some(late_prefix);
        self
    }

    fn plan(&self, insert: &Arc<InsertTarget>, number: usize) -> Result<Route> {
        let table = &self.tables[number];
        let planned = |(name, kind): &(String, ValueKind)| PlannedColumn {
            name: name.clone(),
            kind: *kind,
            storage: Storage::Text,
            null_is_zero_date: false,
        };
        let columns: Vec<PlannedColumn> = match &insert.columns {
            None => table.columns.iter().map(planned).collect(),
            Some(names) => names
                .iter()
                .map(|name| {
                    let same = |(known, _): &&(String, ValueKind)| known.eq_ignore_ascii_case(name);
                    table.columns.iter().find(same).map(planned).ok_or_else(|| {
                        let table = &insert.table;
                        Error::failed(format!(
                            "{table}: rows have a column {name} the table has not"
                        ))
                    })
                })
                .collect::<Result<_>>()?,
        };
        let statement = self.sink.statement(table, &columns);
        let layout = self.layout(table, &columns).map(Arc::new);
        Ok(Route {
            insert: Arc::clone(insert),
            table: number,
            statement: statement.into(),
            plan: Arc::new(Plan {
                columns,
                written: Written::Tuples,
                format: Format::LoadData,
                policies: self.policies.values,
                multibyte: self.multibyte,
                layout,
            }),
        })
    }

    fn layout(&self, table: &Table, columns: &[PlannedColumn]) -> Option<Layout> {
        let late_prefix = self.late_prefix?;
        let name = &table.definition.name;
        let written = columns
            .iter()
            .filter(|column| column.kind != ValueKind::Skipped);
        let columns: Vec<(String, Normal)> = written
            .map(|column| {
                let normal = match late_prefix(name, &column.name) {
                    Some(prefix) => Normal::WithoutPrefix(prefix),
                    None => table.normal(&column.name),
                };
                (column.name.clone(), normal)
            })
            .collect();
        let place = |name: &str| table.columns.iter().position(|(column, _)| column == name);
        let layout = Layout::new(&columns, |name| place(name).unwrap_or(usize::MAX));
        Some(layout.of_lines())
    }
}

impl<S: Sink> Consumer for Converter<S> {
    fn table(&mut self, definition: TableDefinition, facts: &Facts) -> Result<()> {
        let name = definition.name.clone();
        if !self.policies.takes_table(&name) {
            self.by_name.insert(name, None);
            return Ok(());
        }
        (self.accept)(&name)?;
        let charset = facts.charset.as_deref();
        self.multibyte = charset
            .map_or(Ok(Charset::Utf8), Charset::named)?
            .multibyte();
        let number = self.tables.len();
        if self.by_name.insert(name.clone(), Some(number)).is_some() {
            return Err(Error::failed(format!("the name {name} is defined twice"))
                .hint("a dump of one database defines a table once; --skip-table leaves one out"));
        }
        let (table, mut notes) = map(definition, facts, &self.policies, &self.offers)?;
        self.notes.append(&mut notes);
        self.sink.table(&table)?;
        self.tables.push(table);
        Ok(())
    }

    fn rows(&mut self, chunk: RowChunk) -> Result<()> {
        let name = &chunk.insert.table;
        let number = match self.by_name.get(name) {
            Some(Some(number)) => *number,
            Some(None) => return Ok(()),
            None if !self.policies.takes_table(name) => return Ok(()),
            None => return Err(without_definition(name)),
        };
        let route = match self.route.take() {
            Some(route) if Arc::ptr_eq(&route.insert, &chunk.insert) => route,
            _ => self.plan(&chunk.insert, number)?,
        };
        let rows = PlannedRows {
            table: route.table,
            copy: Arc::clone(&route.statement),
            plan: Arc::clone(&route.plan),
            chunk,
        };
        self.route = Some(route);
        self.sink.rows(rows)
    }

    fn converted(&mut self, _: Part, _: &Facts) -> Result<()> {
        Err(Error::failed(
            "a dump that was converted for PostgreSQL cannot go into a MySQL server",
        ))
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.sink.spare()
    }
}
