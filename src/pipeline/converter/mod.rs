//! Between the dump and whatever takes its tables: maps definitions, and plans how rows go.

mod converted;
pub(crate) mod postgresql;
pub(crate) mod postgresql_columns;

use std::collections::HashMap;
use std::sync::Arc;

use crate::dump::charset::{Charset, Multibyte};
use crate::dump::converted::Part;
use crate::dump::mysql::definition::TableDefinition;
use crate::dump::{Consumer, Facts, InsertTarget, RowChunk};
use crate::error::{Error, Result};
use crate::rows::{
    Change, Format, Layout, Normal, Plan, PlannedColumn, RowError, Storage, Tally, ValueKind,
    Written,
};
use crate::schema::policies::{Policies, Timestamps};
use crate::schema::{DataType, DumpFacts, Mapped, Names, Note, Table, from_mysql};
use converted::Apart;

pub use postgresql::PostgresConverter;

/// What takes converted tables: a target's staging schema, or later a dump in PostgreSQL's
/// notation.
pub trait Sink {
    /// A table; its rows, if any, follow.
    fn table(&mut self, table: &Table) -> Result<()>;
    /// The table of this number with its keys and indexes, where they came behind the rows.
    fn complete(&mut self, number: usize, table: &Table) -> Result<()>;
    /// Rows of a table that came before.
    fn rows(&mut self, rows: PlannedRows) -> Result<()>;
    /// The buffer of a chunk that is done with, to be filled again, if there is one.
    fn spare(&mut self) -> Option<Vec<u8>> {
        None
    }
    /// The format it takes rows in that have to be transcoded.
    const FORMAT: Format;
    /// The COPY statement for rows of `table` that have `columns`, in `format`.
    fn copy_statement(&self, table: &Table, columns: &[&str], format: Format) -> String;
}

/// Rows as they are in the dump, and how to transcode them. That is done by whoever takes them,
/// so that many can be done at the same time.
#[derive(Debug)]
pub struct PlannedRows {
    /// The number of the table, in the order they came.
    pub table: usize,
    /// The statement they go to: COPY, or for MySQL LOAD DATA.
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

/// Judges the name of a table before anything is done with it.
pub type Accept = Box<dyn Fn(&str) -> Result<()> + Send>;

/// Tells the prefix that the texts of a column of a table may get after they were loaded.
pub type LatePrefix = fn(&str, &str) -> Option<&'static str>;

/// The consumer of a dump that converts it for a sink.
pub struct Converter<S> {
    /// Where the tables go.
    pub sink: S,
    /// What PostgreSQL gets differently.
    pub notes: Vec<Note>,
    policies: Policies,
    accept: Accept,
    names: Names,
    tables: Vec<Mapped>,
    by_name: HashMap<String, Taken>,
    multibyte: Multibyte,
    route: Option<Route>,
    /// Set if rows are to be hashed.
    late_prefix: Option<LatePrefix>,
    /// Of a dump that GitLab CI has converted, what comes in parts.
    apart: Vec<Apart>,
}

/// What is done with the rows of a table.
#[derive(Debug, Clone, Copy)]
enum Taken {
    /// They go into the table of this number.
    Into(usize),
    /// They are read over.
    Not,
}

impl<S: Sink> Converter<S> {
    /// A converter for `sink` that does as `policies` say; `accept` judges the names of tables.
    pub fn new(sink: S, policies: Policies, accept: Accept) -> Self {
        Converter {
            sink,
            notes: Vec::new(),
            policies,
            accept,
            names: Names::default(),
            tables: Vec::new(),
            by_name: HashMap::new(),
            multibyte: Multibyte::None,
            route: None,
            late_prefix: None,
            apart: Vec::new(),
        }
    }

    /// Has the rows hashed; texts in their columns may get a prefix later, as `late_prefix` says.
    #[must_use]
    pub fn hashing(mut self, late_prefix: LatePrefix) -> Self {
        self.late_prefix = Some(late_prefix);
        self
    }

    /// Hands `chunk` on by `route`, which is kept for the next one.
    fn give(&mut self, route: Route, chunk: RowChunk) -> Result<()> {
        let rows = PlannedRows {
            table: route.table,
            copy: Arc::clone(&route.copy),
            plan: Arc::clone(&route.plan),
            chunk,
        };
        self.route = Some(route);
        self.sink.rows(rows)
    }

    /// How rows of `table` that have the columns `written` are hashed, if they are to be; `normal` tells
    /// how values of a type are, in the rows' notation.
    fn layout(
        &self,
        table: &Table,
        written: &[&str],
        normal: fn(&DataType) -> Normal,
    ) -> Option<Layout> {
        let late_prefix = self.late_prefix?;
        let place = |name: &str| table.columns.iter().position(|column| column.name == name);
        let columns: Vec<(String, Normal)> = written
            .iter()
            .map(|name| {
                let column = place(name).map(|place| &table.columns[place].data_type);
                let normal = match late_prefix(&table.name, name) {
                    Some(prefix) => Normal::WithoutPrefix(prefix),
                    None => column.map_or(Normal::AsIs, normal),
                };
                ((*name).to_owned(), normal)
            })
            .collect();
        let order = |name: &str| place(name).unwrap_or(usize::MAX);
        Some(Layout::new(&columns, order))
    }

    fn plan(&self, insert: &Arc<InsertTarget>, number: usize) -> Result<Route> {
        let name = &insert.table;
        let mapped = &self.tables[number];
        let columns: Vec<PlannedColumn> = match &insert.columns {
            None => (0..mapped.kinds.len())
                .map(|at| self.planned(mapped, at))
                .collect(),
            Some(columns) => {
                if let Some(missing) = mapped.materialised.iter().find(|c| !contains(columns, c)) {
                    return Err(Error::failed(format!(
                        "column {name}.{missing}: PostgreSQL cannot compute this generated column, \
                         and the dump has no values of it"
                    ))
                    .hint(format!("--skip-column {name}.{missing} leaves it out")));
                }
                columns
                    .iter()
                    .map(|column| {
                        let same = |(known, _): &(String, _)| known.eq_ignore_ascii_case(column);
                        let at = mapped.names.iter().position(same);
                        at.map(|at| self.planned(mapped, at)).ok_or_else(|| {
                            Error::failed(format!(
                                "{name}: rows have a column {column} the table has not"
                            ))
                        })
                    })
                    .collect::<Result<_>>()?
            }
        };
        let names: Vec<&str> = columns
            .iter()
            .filter(|column| column.kind != ValueKind::Skipped)
            .map(|column| column.name.as_str())
            .collect();
        let copy = self.sink.copy_statement(&mapped.table, &names, S::FORMAT);
        let layout = self.layout(&mapped.table, &names, normal).map(Arc::new);
        Ok(Route {
            insert: Arc::clone(insert),
            table: number,
            copy: copy.into(),
            plan: Arc::new(Plan {
                columns,
                written: Written::Tuples,
                format: S::FORMAT,
                policies: self.policies.values,
                multibyte: self.multibyte,
                layout,
            }),
        })
    }

    fn planned(&self, mapped: &Mapped, at: usize) -> PlannedColumn {
        let (mysql, name) = &mapped.names[at];
        let name = name.as_ref().unwrap_or(mysql);
        let mut columns = mapped.table.columns.iter();
        let column = columns.find(|column| column.name == *name);
        let is_converted = !self.apart.is_empty();
        PlannedColumn {
            name: name.clone(),
            kind: mapped.kinds[at],
            storage: column.map_or(Storage::Text, |column| storage(&column.data_type)),
            null_is_zero_date: is_converted && column.is_some_and(|c| c.not_null_after_load),
        }
    }

    /// Whether the rows of `table` are to be taken, and may be.
    fn takes(&mut self, table: &str) -> Result<bool> {
        if !self.policies.takes_table(table) {
            self.by_name.insert(table.to_owned(), Taken::Not);
            return Ok(false);
        }
        (self.accept)(table).map(|()| true)
    }

    /// Maps `definition`, with a note of its timestamps where that is due.
    fn map(&mut self, definition: &TableDefinition, facts: &Facts) -> Result<Mapped> {
        let charset = facts
            .charset
            .as_deref()
            .map_or(Ok(Charset::Utf8), Charset::named)?;
        self.multibyte = charset.multibyte();
        let known = DumpFacts {
            compatible: facts.compatible,
            charset,
            utc: facts.utc,
        };
        let mut mapped = from_mysql(definition, known, &self.policies, &mut self.names)?;
        let has_timestamps = definition
            .columns
            .iter()
            .any(|column| column.data_type.name == "timestamp");
        if has_timestamps && !facts.utc && self.policies.timestamps == Timestamps::Utc {
            mapped.notes.push(Note {
                table: mapped.table.name.clone(),
                item: None,
                what: "timestamps are as in the dump, which does not say that they are in UTC"
                    .to_owned(),
            });
        }
        Ok(mapped)
    }

    /// Keeps what is known of the table that the dump calls `name`; the sink has it.
    fn keep(&mut self, name: String, mapped: Mapped) {
        let taken = Taken::Into(self.tables.len());
        self.by_name.insert(name, taken);
        self.tables.push(mapped);
    }
}

/// `table` without keys and indexes, of which more may come behind its rows.
fn bare(table: &Table) -> Table {
    Table {
        primary_key: None,
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        ..table.clone()
    }
}

fn storage(data_type: &DataType) -> Storage {
    match data_type {
        DataType::Boolean => Storage::Boolean,
        DataType::Smallint => Storage::Smallint,
        DataType::Integer => Storage::Integer,
        DataType::Bigint => Storage::Bigint,
        DataType::Numeric(..) => Storage::Numeric,
        DataType::DoublePrecision => Storage::Double,
        DataType::Varchar(_)
        | DataType::Char(_)
        | DataType::Text
        | DataType::Json
        | DataType::Enum(_) => Storage::Text,
        DataType::Jsonb => Storage::Jsonb,
        DataType::Bytea => Storage::Bytea,
        DataType::Bit(_) => Storage::Bit,
        DataType::Date => Storage::Date,
        DataType::Timestamp(_) | DataType::Timestamptz(_) => Storage::Timestamp,
        DataType::Time(_) => Storage::Time,
        DataType::Interval(_) => Storage::Interval,
        DataType::Uuid => Storage::Uuid,
        DataType::Inet => Storage::Inet,
        // No type of MySQL becomes one.
        DataType::Plain(_) => Storage::Text,
    }
}

/// How a value is compared, in binary notation.
fn normal(data_type: &DataType) -> Normal {
    match data_type {
        DataType::Char(_) => Normal::WithoutBlanks,
        DataType::Numeric(..) => Normal::Numeric,
        DataType::Jsonb => Normal::Jsonb,
        _ => Normal::AsIs,
    }
}

fn contains(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl<S: Sink> Consumer for Converter<S> {
    fn table(&mut self, definition: TableDefinition, facts: &Facts) -> Result<()> {
        if !self.takes(&definition.name)? {
            return Ok(());
        }
        let mut mapped = self.map(&definition, facts)?;
        self.notes.append(&mut mapped.notes);
        self.sink.table(&mapped.table)?;
        self.keep(definition.name, mapped);
        Ok(())
    }

    fn converted(&mut self, part: Part, facts: &Facts) -> Result<()> {
        self.take_part(part, facts)
    }

    fn rows(&mut self, chunk: RowChunk) -> Result<()> {
        let name = &chunk.insert.table;
        let number = match self.by_name.get(name) {
            Some(Taken::Into(number)) => *number,
            Some(Taken::Not) => return Ok(()),
            None if !self.policies.takes_table(name) => return Ok(()),
            None => return Err(without_definition(name)),
        };
        let route = match &self.route {
            Some(route) if Arc::ptr_eq(&route.insert, &chunk.insert) => route.clone(),
            _ => self.plan(&chunk.insert, number)?,
        };
        self.give(route, chunk)
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.sink.spare()
    }
}

/// The columns of `table` that are to be set NOT NULL when its rows are in, and notes of those that
/// cannot be, since zero dates in them became NULL.
#[must_use]
pub fn not_null_after_load<'a>(table: &'a Table, tally: &Tally) -> (Vec<&'a str>, Vec<Note>) {
    let late = table
        .columns
        .iter()
        .filter(|column| column.not_null_after_load);
    let (nulls, not_null): (Vec<_>, Vec<_>) =
        late.partition(|column| tally.has(&column.name, Change::ZeroDateToNull));
    let notes = nulls.into_iter().map(|column| Note {
        table: table.name.clone(),
        item: Some(column.name.clone()),
        what: "NOT NULL left out, because of the zero dates".to_owned(),
    });
    let not_null = not_null.into_iter().map(|column| column.name.as_str());
    (not_null.collect(), notes.collect())
}

/// That a dump has rows of a table, but not what the table is.
#[must_use]
pub fn without_definition(table: &str) -> Error {
    Error::failed(format!(
        "the dump has rows of {table}, but not its definition"
    ))
    .hint("make the dump without --no-create-info")
}

/// The error with its place in the dump.
#[must_use]
pub fn placed(chunk: &RowChunk, error: RowError) -> Error {
    let table = &chunk.insert.table;
    let row = chunk.first_row + error.row;
    let byte = chunk.offset + error.at as u64;
    let column = error
        .column
        .map_or_else(String::new, |column| format!(", column {column}"));
    let placed = Error::failed(format!(
        "{table} row {row} (byte {byte}){column}: {}",
        error.message
    ));
    match error.hint {
        Some(hint) => placed.hint(hint),
        None => placed,
    }
}
