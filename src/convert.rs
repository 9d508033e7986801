//! Between the dump and whatever takes its tables: maps definitions, and plans how rows go.

use std::collections::HashMap;
use std::sync::Arc;

use crate::dump::definition::TableDefinition;
use crate::dump::{Consumer, Facts, InsertTarget, RowChunk};
use crate::error::{Error, Result};
use crate::rows::{Plan, PlannedColumn};
use crate::schema::{Mapped, Names, Note, Table, from_mysql};

/// What takes converted tables: a target's staging schema, or later a dump in PostgreSQL's
/// notation.
pub trait Sink {
    /// A table; its rows, if any, follow.
    fn table(&mut self, table: &Table) -> Result<()>;
    /// Rows of a table that came before.
    fn rows(&mut self, rows: PlannedRows) -> Result<()>;
    /// The COPY statement for rows of `table` that have `columns`.
    fn copy_statement(&self, table: &Table, columns: &[&str]) -> String;
}

/// Rows as they are in the dump, and how to transcode them. That is done by whoever takes them,
/// so that many can be done at the same time.
#[derive(Debug)]
pub struct PlannedRows {
    /// The number of the table, in the order they came.
    pub table: usize,
    /// The COPY statement they go to.
    pub copy: Arc<str>,
    /// What their columns need.
    pub plan: Arc<Plan>,
    /// The rows.
    pub chunk: RowChunk,
}

/// How rows of one head of INSERT go.
#[derive(Debug, Clone)]
struct Route {
    insert: Arc<InsertTarget>,
    table: usize,
    copy: Arc<str>,
    plan: Arc<Plan>,
}

/// The consumer of a dump that converts it for a sink.
pub struct Converter<S> {
    /// Where the tables go.
    pub sink: S,
    /// What PostgreSQL gets differently.
    pub notes: Vec<Note>,
    accept: fn(&str) -> Result<()>,
    names: Names,
    tables: Vec<Mapped>,
    by_name: HashMap<String, usize>,
    route: Option<Route>,
}

impl<S: Sink> Converter<S> {
    /// A converter for `sink`; `accept` judges the names of tables.
    pub fn new(sink: S, accept: fn(&str) -> Result<()>) -> Self {
        Converter {
            sink,
            notes: Vec::new(),
            accept,
            names: Names::default(),
            tables: Vec::new(),
            by_name: HashMap::new(),
            route: None,
        }
    }

    fn plan(&self, insert: &Arc<InsertTarget>) -> Result<Route> {
        let name = &insert.table;
        let number = *self.by_name.get(name).ok_or_else(|| {
            Error::failed(format!(
                "the dump has rows of {name}, but not its definition"
            ))
            .hint("make the dump without --no-create-info")
        })?;
        let Mapped { table, kinds, .. } = &self.tables[number];
        let planned = |at: usize| PlannedColumn {
            name: table.columns[at].name.clone(),
            kind: kinds[at],
        };
        let columns: Vec<PlannedColumn> = match &insert.columns {
            None => (0..kinds.len()).map(planned).collect(),
            Some(names) => names
                .iter()
                .map(|column| {
                    let at = table.columns.iter().position(|known| known.name == *column);
                    at.map(planned).ok_or_else(|| {
                        Error::failed(format!(
                            "{name}: rows have a column {column} the table has not"
                        ))
                    })
                })
                .collect::<Result<_>>()?,
        };
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        Ok(Route {
            insert: Arc::clone(insert),
            table: number,
            copy: self.sink.copy_statement(table, &names).into(),
            plan: Arc::new(Plan {
                columns,
                policies: crate::rows::ValuePolicies::default(),
                multibyte: crate::charset::Multibyte::None,
            }),
        })
    }
}

impl<S: Sink> Consumer for Converter<S> {
    fn table(&mut self, definition: TableDefinition, facts: &Facts) -> Result<()> {
        (self.accept)(&definition.name)?;
        check_charset(facts)?;
        let mut mapped = from_mysql(&definition, facts.compatible, &mut self.names)?;
        self.notes.append(&mut mapped.notes);
        self.sink.table(&mapped.table)?;
        self.by_name.insert(definition.name, self.tables.len());
        self.tables.push(mapped);
        Ok(())
    }

    fn rows(&mut self, chunk: RowChunk) -> Result<()> {
        let route = match &self.route {
            Some(route) if Arc::ptr_eq(&route.insert, &chunk.insert) => route.clone(),
            _ => self.plan(&chunk.insert)?,
        };
        let rows = PlannedRows {
            table: route.table,
            copy: Arc::clone(&route.copy),
            plan: Arc::clone(&route.plan),
            chunk,
        };
        self.route = Some(route);
        self.sink.rows(rows)
    }
}

/// Texts are taken for UTF-8, which they are unless the dump says otherwise.
fn check_charset(facts: &Facts) -> Result<()> {
    match facts.charset.as_deref() {
        None | Some("utf8" | "utf8mb3" | "utf8mb4" | "binary" | "ascii") => Ok(()),
        Some(other) => Err(Error::failed(format!(
            "the dump is in the character set {other}, which is not supported yet"
        ))
        .hint("make the dump with --default-character-set=utf8mb4")),
    }
}
