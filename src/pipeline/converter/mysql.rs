//! Converts the tables and rows of a MySQL dump for any server: a [`Mapping`] maps each table.

use std::sync::Arc;

use super::conversion::{Conversion, Route, Taken};
use super::mapping::{Mapped, MappedColumn, Mapping};
use crate::dump::charset::{Charset, Multibyte};
use crate::dump::converted::Part;
use crate::dump::mysql::definition::TableDefinition;
use crate::dump::{Consumer, Facts, InsertTarget, RowChunk};
use crate::error::{Error, Result};
use crate::pipeline::sink::Sink;
use crate::rows::{Format, Normal, PlannedColumn, TranscodePlan, Written};

/// The consumer of a MySQL dump.
pub struct MysqlConverter<M: Mapping, S> {
    pub(super) conversion: Conversion<S>,
    pub(super) mapping: M,
    pub(super) tables: Vec<Mapped<M::Table>>,
    multibyte: Multibyte,
}

impl<M: Mapping, S: Sink<M::Table>> MysqlConverter<M, S> {
    /// Starts with a new conversion.
    pub fn new(mapping: M, conversion: Conversion<S>) -> Self {
        MysqlConverter {
            conversion,
            mapping,
            tables: Vec::new(),
            multibyte: Multibyte::None,
        }
    }

    /// The conversion, with the sink and the notes.
    pub fn into_inner(self) -> Conversion<S> {
        self.conversion
    }

    /// Maps `definition`.
    pub(super) fn map(
        &mut self,
        definition: &TableDefinition,
        facts: &Facts,
    ) -> Result<Mapped<M::Table>> {
        let charset = facts.charset.as_deref();
        let charset = charset.map_or(Ok(Charset::Utf8), Charset::named)?;
        self.multibyte = charset.multibyte();
        let policies = &self.conversion.policies;
        self.mapping.map(definition, facts, charset, policies)
    }

    /// Keeps the mapping of the table that the dump calls `name`, after the sink has taken the table.
    pub(super) fn keep(&mut self, name: String, mapped: Mapped<M::Table>) {
        let taken = Taken::Into(self.tables.len());
        self.conversion.by_name.insert(name, taken);
        self.tables.push(mapped);
    }

    fn plan(&self, insert: &Arc<InsertTarget>, number: usize) -> Result<Route> {
        let mapped = &self.tables[number];
        let columns = columns_of(insert, mapped)?;
        let planned: Vec<PlannedColumn> = columns.iter().map(|c| c.planned.clone()).collect();
        let written: Vec<(&str, Normal)> = columns
            .iter()
            .filter(|column| column.is_loaded())
            .map(|column| (column.planned.name.as_str(), column.normal))
            .collect();
        let place = |name: &str| {
            let is_it = |column: &MappedColumn| column.is_loaded() && column.planned.name == name;
            mapped.columns.iter().position(is_it)
        };
        let layout = self.conversion.layout(&mapped.name, &written, place);
        let layout = layout.map(|layout| match S::FORMAT {
            Format::LoadData => layout.of_lines(),
            Format::Text | Format::Binary => layout,
        });
        let sink = &self.conversion.sink;
        let statement = sink.statement(&mapped.table, &planned, S::FORMAT);
        Ok(Route {
            insert: Arc::clone(insert),
            table: number,
            statement: statement.into(),
            plan: Arc::new(TranscodePlan {
                columns: planned,
                written: Written::Tuples,
                format: S::FORMAT,
                policies: self.conversion.policies.values,
                multibyte: self.multibyte,
                layout: layout.map(Arc::new),
            }),
        })
    }
}

/// The columns of the rows after `insert`, in their order.
fn columns_of<'a, T>(
    insert: &InsertTarget,
    mapped: &'a Mapped<T>,
) -> Result<Vec<&'a MappedColumn>> {
    let table = &insert.table;
    let Some(names) = &insert.columns else {
        return Ok(mapped.columns.iter().collect());
    };
    let has = |wanted: &String| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    if let Some(missing) = mapped.materialised.iter().find(|name| !has(name)) {
        return Err(Error::failed(format!(
            "column {table}.{missing}: PostgreSQL cannot compute this generated column, \
             and the dump has no values for it"
        ))
        .hint(format!("--skip-column {table}.{missing} leaves it out")));
    }
    let column = |name: &String| {
        let mut known = mapped.columns.iter();
        let found = known.find(|column| column.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            Error::failed(format!(
                "{table}: rows have a column {name} that the table does not have"
            ))
        })
    };
    names.iter().map(column).collect()
}

impl<M: Mapping, S: Sink<M::Table>> Consumer for MysqlConverter<M, S> {
    fn table(&mut self, definition: TableDefinition, facts: &Facts) -> Result<()> {
        if !self.conversion.takes(&definition.name)? {
            return Ok(());
        }
        let mut mapped = self.map(&definition, facts)?;
        self.conversion.notes.append(&mut mapped.notes);
        self.conversion.sink.table(&mapped.table)?;
        self.keep(definition.name, mapped);
        Ok(())
    }

    fn rows(&mut self, chunk: RowChunk) -> Result<()> {
        let hint = "make the dump without --no-create-info";
        let Some(number) = self.conversion.number_of(&chunk.insert.table, hint)? else {
            return Ok(());
        };
        let route = match self.conversion.known_route(&chunk.insert) {
            Some(route) => route,
            None => self.plan(&chunk.insert, number)?,
        };
        self.conversion.give(route, chunk)
    }

    fn converted(&mut self, _: Part, _: &Facts) -> Result<()> {
        Err(Error::failed(
            "a dump that was converted for PostgreSQL cannot go into a MySQL server",
        ))
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.conversion.sink.spare()
    }
}
