//! Converts the tables and rows of a MySQL dump for any server: a [`Mapping`] maps each table.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::conversion::{Conversion, Route, Taken};
use super::mapping::{Mapped, MappedAgain, MappedColumn, Mapping};
use crate::dump::charset::{Charset, Multibyte};
use crate::dump::converted::Part;
use crate::dump::mysql::definition::{ColumnDefinition, DefaultValue, TableDefinition};
use crate::dump::{Consumer, Duplicates, Facts, InsertTarget, RowChunk, WITHOUT_DEFINITION};
use crate::error::{Error, Result};
use crate::pipeline::sink::Sink;
use crate::rows::{
    Format, Normal, PlannedColumn, TranscodePlan, UnusualValues, ValueKind, Written,
};
use crate::schema::{GivenColumns, GivenRows, Note, shown};

/// No more defaults of columns are kept, in case that rows have DEFAULT.
const MAX_UNUSUAL: usize = 1000;

/// The consumer of a MySQL dump.
pub struct MysqlConverter<M: Mapping, S> {
    pub(super) conversion: Conversion<S>,
    pub(super) mapping: M,
    pub(super) tables: Vec<Mapped<M::Table>>,
    /// The table whose rows did not come yet: they show which columns have values.
    waiting: Option<(TableDefinition, Facts)>,
    multibyte: Multibyte,
    /// Whether the dump was decoded from UTF-16.
    is_decoded: bool,
    /// What unusual values mean, for all columns that are alike. Of the first one nothing is known.
    unusual: Arc<Vec<UnusualValues>>,
}

impl<M: Mapping, S: Sink<M::Table>> MysqlConverter<M, S> {
    /// Starts with a new conversion.
    pub fn new(mapping: M, conversion: Conversion<S>) -> Self {
        MysqlConverter {
            conversion,
            mapping,
            tables: Vec::new(),
            waiting: None,
            multibyte: Multibyte::None,
            is_decoded: false,
            unusual: Arc::new(vec![UnusualValues::default()]),
        }
    }

    /// The conversion, with the sink and the notes.
    pub fn into_inner(self) -> Conversion<S> {
        self.conversion
    }

    /// Maps `definition`, whose rows are `given`.
    pub(super) fn map(
        &mut self,
        definition: &TableDefinition,
        given: &GivenRows,
        facts: &Facts,
    ) -> Result<Mapped<M::Table>> {
        let charset = charset_of(facts)?;
        self.multibyte = charset.multibyte();
        self.is_decoded = facts.utf16.is_some();
        let policies = &self.conversion.policies;
        let mapped = self
            .mapping
            .map(definition, given, facts, charset, policies);
        let mut mapped = mapped?;
        self.plan_unusual(definition, &mut mapped.columns);
        Ok(mapped)
    }

    /// Maps `definition`, after statements have changed it, for the table with this number.
    fn map_again(
        &mut self,
        definition: &TableDefinition,
        number: usize,
        facts: &Facts,
    ) -> Result<MappedAgain<M::Table>> {
        let before = &self.tables[number];
        let policies = &self.conversion.policies;
        let mapped =
            self.mapping
                .map_again(definition, before, facts, charset_of(facts)?, policies);
        let mut again = mapped?;
        again.mapped.hash_as(before);
        self.plan_unusual(definition, &mut again.mapped.columns);
        Ok(again)
    }

    /// Plans what unusual values of `columns`, which are those of `definition`, mean.
    fn plan_unusual(&mut self, definition: &TableDefinition, columns: &mut [MappedColumn]) {
        let defined = definition.columns.iter().map(|it| (it.name.as_str(), it));
        let defined: HashMap<&str, &ColumnDefinition> = defined.collect();
        for column in columns {
            if let Some(defined) = defined.get(column.name.as_str()) {
                column.planned.unusual = self.unusual(defined, column.planned.kind);
            }
        }
    }

    /// What unusual values of `column` mean, whose values are of `kind`.
    fn unusual(&mut self, column: &ColumnDefinition, kind: ValueKind) -> u16 {
        let name = &column.data_type.name;
        let unusual = UnusualValues {
            default: default_literal(column, kind),
            takes_numbers: name.ends_with("char") || name.ends_with("text"),
        };
        let known = self.unusual.iter().position(|known| *known == unusual);
        let number = known.unwrap_or_else(|| {
            // Of more than these, the defaults are not known.
            if self.unusual.len() == MAX_UNUSUAL {
                return 0;
            }
            Arc::make_mut(&mut self.unusual).push(unusual);
            self.unusual.len() - 1
        });
        u16::try_from(number).unwrap_or_default()
    }

    /// Keeps the mapping of the table that the dump calls `name`, after the sink has taken the table.
    pub(super) fn keep(&mut self, database: Option<&str>, name: &str, mapped: Mapped<M::Table>) {
        let taken = Taken::Into(self.tables.len());
        self.conversion.keep(database, name, taken);
        self.tables.push(mapped);
    }

    /// Gives the waiting table, if there is one, to the sink. Its rows are `given`.
    fn begin_waiting(&mut self, given: &GivenRows) -> Result<()> {
        let Some((definition, facts)) = self.waiting.take() else {
            return Ok(());
        };
        let mapped = self.map(&definition, given, &facts)?;
        self.conversion.notes.extend_from_slice(&mapped.notes);
        self.conversion.sink.table(&mapped.table)?;
        self.keep(definition.database.as_deref(), &definition.name, mapped);
        Ok(())
    }

    /// Whether the rows after `insert` carry their numbers; an error if it wants something else than the first rows of its
    /// table.
    fn numbers_rows(&self, insert: &InsertTarget, mapped: &Mapped<M::Table>) -> Result<bool> {
        let is_late = self.conversion.policies.settles
            && !matches!(insert.duplicates, Duplicates::Refused)
            && insert.duplicates != mapped.duplicates
            && mapped.has_unique_key;
        if is_late {
            let name = &mapped.name;
            let what =
                format!("{name}: REPLACE or INSERT IGNORE after other INSERTs is not supported");
            return Err(Error::failed(what).hint("--skip-table leaves the table out"));
        }
        Ok(mapped.duplicates != Duplicates::Refused)
    }

    fn plan(&self, insert: &Arc<InsertTarget>, number: usize) -> Result<Route> {
        let mapped = &self.tables[number];
        let columns = columns_of(insert, mapped)?;
        let numbers_rows = self.numbers_rows(insert, mapped)?;
        let planned: Vec<PlannedColumn> = columns.iter().map(|c| c.planned.clone()).collect();
        let written: Vec<(&str, Normal)> = columns
            .iter()
            .filter(|column| column.is_loaded())
            .map(|column| (column.planned.name.as_str(), column.normal))
            .collect();
        let mut places = HashMap::new();
        let loaded = mapped.columns.iter().enumerate();
        for (place, column) in loaded.filter(|(_, column)| column.is_loaded()) {
            places.entry(column.planned.name.as_str()).or_insert(place);
        }
        let place = |name: &str| places.get(name).copied();
        let layout = self.conversion.layout(&mapped.name, &written, place);
        let layout = layout.map(|layout| match S::FORMAT {
            Format::LoadData => layout.of_lines(),
            Format::Text | Format::Binary if numbers_rows => layout.of_numbered(),
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
                multibyte: self.multibyte,
                is_decoded: self.is_decoded,
                unusual: Arc::clone(&self.unusual),
                numbers_rows,
                quoting: insert.quoting,
                layout: layout.map(Arc::new),
            }),
        })
    }
}

/// Whether `definition` is of this table.
fn is_of(definition: &TableDefinition, database: Option<&str>, table: &str) -> bool {
    definition.name == table && definition.database.as_deref() == database
}

/// The character set of the rows in the dump.
fn charset_of(facts: &Facts) -> Result<Charset> {
    let charset = facts.charset.as_deref();
    charset.map_or(Ok(Charset::Utf8), Charset::named)
}

/// The literal of the default of `column`, whose values are of `kind`, if the default is a constant.
fn default_literal(column: &ColumnDefinition, kind: ValueKind) -> Option<String> {
    // A server computes it.
    if column.generated.is_some() {
        return None;
    }
    Some(match column.default.as_ref() {
        None if column.nullable && !column.auto_increment => "NULL".to_owned(),
        Some(DefaultValue::Null) => "NULL".to_owned(),
        Some(DefaultValue::Text(text)) => {
            let quoted = format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
            match kind {
                ValueKind::Text | ValueKind::EncodedText(_) => format!("_utf8mb4{quoted}"),
                _ => quoted,
            }
        }
        Some(DefaultValue::Number(number)) => number.clone(),
        Some(DefaultValue::Bits(bits)) => format!("b'{bits}'"),
        Some(DefaultValue::Hex(digits)) => format!("x'{digits}'"),
        None | Some(DefaultValue::Expression(_)) => return None,
    })
}

/// The columns of the rows after `insert`, in their order.
fn columns_of<'a, T>(
    insert: &InsertTarget,
    mapped: &'a Mapped<T>,
) -> Result<Vec<&'a MappedColumn>> {
    let table = &insert.table;
    let all: Vec<String>;
    let names = if let Some(names) = &insert.columns {
        names
    } else {
        all = mapped.columns.iter().map(|c| c.name.clone()).collect();
        &all
    };
    let given: HashSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let has = |wanted: &&String| given.contains(&wanted.to_ascii_lowercase());
    let unlike = |name: &String, what: &str| {
        Err(Error::failed(format!(
            "column {table}.{name}: some rows of the dump have values for this generated column, {what}"
        ))
        .hint(format!("--skip-column {table}.{name} leaves it out")))
    };
    if let Some(name) = mapped.generated.given.iter().find(|name| !has(name)) {
        return unlike(name, "and these rows have none");
    }
    if let Some(name) = mapped.generated.missing.iter().find(has) {
        return unlike(name, "and the rows before have none");
    }
    let mut known = HashMap::new();
    for column in &mapped.columns {
        known
            .entry(column.name.to_ascii_lowercase())
            .or_insert(column);
    }
    let column = |name: &String| {
        let found = known.get(&name.to_ascii_lowercase()).copied();
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
        self.begin_waiting(&GivenRows::none())?;
        let database = definition.database.as_deref();
        if !self.conversion.takes(database, &definition.name)? {
            return Ok(());
        }
        self.waiting = Some((definition, facts.of_tables()));
        Ok(())
    }

    fn altered(&mut self, definition: &TableDefinition, facts: &Facts) -> Result<()> {
        let (database, name) = (definition.database.as_deref(), &definition.name);
        let waiting = self.waiting.as_mut();
        if let Some(waiting) = waiting.filter(|it| is_of(&it.0, database, name)) {
            *waiting = (definition.clone(), facts.of_tables());
            return Ok(());
        }
        let Some(Taken::Into(number)) = self.conversion.taken(database, name) else {
            return Ok(());
        };
        let MappedAgain { mapped, widenings } = self.map_again(definition, number, facts)?;
        let before = &self.tables[number];
        let conversion = &mut self.conversion;
        for widening in &widenings {
            conversion.sink.widen(number, widening)?;
        }
        conversion
            .sink
            .alter(number, &before.table, &mapped.table)?;
        // Of the table as a whole nothing changes.
        let known: HashSet<&Note> = before.notes.iter().collect();
        let now: HashSet<&Note> = mapped.notes.iter().collect();
        let gone = known.difference(&now).filter(|note| note.item.is_some());
        let gone: HashSet<&Note> = gone.copied().collect();
        conversion.notes.retain(|note| !gone.contains(note));
        let new = mapped.notes.iter().filter(|note| !known.contains(note));
        conversion.notes.extend(new.cloned());
        conversion.route = None;
        self.tables[number] = mapped;
        Ok(())
    }

    fn dropped(&mut self, database: Option<&str>, table: &str) -> Result<()> {
        let waits = |(definition, _): &(TableDefinition, Facts)| is_of(definition, database, table);
        let mut from = None;
        if self.waiting.take_if(|waiting| waits(waiting)).is_none()
            && let Some(Taken::Into(number)) = self.conversion.forget(database, table)
        {
            from = Some(number);
            self.conversion.route = None;
            let name = self.tables[number].name.clone();
            self.conversion.sink.drop_table(number)?;
            self.mapping.forget(&self.tables[number].table);
            self.conversion.notes.retain(|note| note.table != name);
        }
        self.conversion.tell_dropped(shown(database, table), from);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.begin_waiting(&GivenRows::none())
    }

    fn rows(&mut self, chunk: RowChunk) -> Result<()> {
        let database = chunk.insert.database.as_deref();
        let table = &chunk.insert.table;
        let waits = |(definition, _): &(TableDefinition, Facts)| is_of(definition, database, table);
        if self.waiting.as_ref().is_some_and(waits) {
            let columns = match &chunk.insert.columns {
                None => GivenColumns::All,
                Some(names) => GivenColumns::Named(names.clone()),
            };
            let given = GivenRows {
                columns,
                duplicates: chunk.insert.duplicates,
            };
            self.begin_waiting(&given)?;
        }
        let Some(number) = self
            .conversion
            .number_of(database, table, WITHOUT_DEFINITION)?
        else {
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
