//! Converts a PostgreSQL dump for a sink: tables before their rows, keys and indexes after the rows, as in
//! the dump. Rows are already lines of COPY's text format, and pass through.

mod late;

use std::collections::HashMap;
use std::sync::Arc;

use super::bare::bare;
use super::conversion::{Conversion, Route, Taken};
use super::postgresql_columns::{Unsupported, check_types, columns, normal};
use super::postgresql_sequences::Sequences;
use crate::dump::charset::Multibyte;
use crate::dump::postgresql::Consumer;
use crate::dump::postgresql::definition::{
    Constraint, ConstraintKind, DefaultValue, Definition, SequenceDefinition, TableDefinition,
};
use crate::dump::quoting::Quoting;
use crate::dump::{Duplicates, InsertTarget, RowChunk};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::pipeline::sink::Sink;
use crate::rows::{Format, PlannedColumn, TranscodePlan, Widening, Wider, Written};
use crate::schema::{
    Column, DataType, EnumType, KeptAs, Names, Note, PrimaryKey, Table, from_postgresql,
};

/// PostgreSQL's limit for a table (manual, appendix K).
const MAX_COLUMNS: usize = 1600;

/// A dump with more tables is an attempt to exhaust the memory.
const MAX_TABLES: usize = 10_000;

const UNKNOWN_CHECK: &str = "the CHECK has unknown words";

/// The consumer of a PostgreSQL dump, with the sink and the policies of a conversion.
pub struct PostgresqlConverter<S> {
    conversion: Conversion<S>,
    tables: Vec<Pending>,
    sequences: Sequences,
    /// The enum types that the dump creates, and whether a column uses them.
    enums: HashMap<String, (EnumType, bool)>,
    index_comments: HashMap<String, String>,
    /// The names in use.
    names: Names,
    /// The columns whose types are not supported: all are named in one error, before the first row.
    unsupported: Vec<Unsupported>,
}

/// A table that the rest of the dump may still change.
struct Pending {
    table: Table,
    /// The dump's sequence with the next value.
    counted_by: Option<String>,
    /// Whether the sink has the table.
    is_given: bool,
    /// Whether the dump drops it again.
    is_dropped: bool,
    /// The columns whose types have changed between rows, as they were.
    before: Vec<Column>,
    /// The table as the sink has it, if something else has changed since.
    given: Option<Box<Table>>,
}

impl<S: Sink> PostgresqlConverter<S> {
    /// Starts with a new conversion.
    pub fn new(conversion: Conversion<S>) -> Self {
        PostgresqlConverter {
            conversion,
            tables: Vec::new(),
            sequences: Sequences::default(),
            enums: HashMap::new(),
            index_comments: HashMap::new(),
            names: Names::default(),
            unsupported: Vec::new(),
        }
    }

    /// The conversion, with the sink and the notes.
    pub fn into_inner(self) -> Conversion<S> {
        self.conversion
    }

    fn note(&mut self, code: Code, table: &str, item: Option<&str>, what: impl Into<String>) {
        self.conversion.notes.push(Note {
            code,
            table: table.to_owned(),
            item: item.map(str::to_owned),
            what: what.into(),
        });
    }

    /// The number of `table`; none if it is skipped.
    fn number(&self, table: &str) -> Option<usize> {
        match self.conversion.taken(None, table) {
            Some(Taken::Into(number)) => Some(number),
            _ => None,
        }
    }

    fn table(&mut self, definition: TableDefinition) -> Result<()> {
        let name = definition.name.clone();
        let conversion = &mut self.conversion;
        if !conversion.takes(None, &name)? {
            return Ok(());
        }
        if let Some((table, column)) = conversion.policies.skip_columns.first() {
            let what = format!("--skip-column {table}.{column} is not possible here");
            return Err(Error::usage(what).hint("rows of a PostgreSQL dump are not changed"));
        }
        if conversion.taken(None, &name).is_some() {
            return Err(Error::failed(format!("the dump has two tables {name}"))
                .hint("dump one schema only: pg_dump --schema"));
        }
        if let Some(what) = definition.unusual {
            let what = format!("the table {name} is not supported: {what}");
            return Err(Error::failed(what).hint("--skip-table leaves it out"));
        }
        if definition.columns.len() > MAX_COLUMNS || self.tables.len() == MAX_TABLES {
            let what = format!("too many tables, or {name} has more than {MAX_COLUMNS} columns");
            return Err(Error::archive(what));
        }
        let is_enum = |own_name: &str| self.enums.contains_key(own_name);
        let (columns, notes) = columns(
            &definition,
            is_enum,
            &conversion.policies,
            &mut self.unsupported,
        )?;
        let enum_types = self.enum_types(&columns);
        let renamed_sequences = self.give_way();
        let taken = Taken::Into(self.tables.len());
        let conversion = &mut self.conversion;
        conversion.keep(None, &name, taken);
        self.names.reserve(&name);
        self.tables.push(Pending {
            table: Table {
                schema: None,
                name: name.clone(),
                columns,
                primary_key: None,
                duplicates: Duplicates::Refused,
                indexes: Vec::new(),
                foreign_keys: Vec::new(),
                checks: Vec::new(),
                enum_types,
                sequence: None,
                renamed_sequences,
                comment: None,
                on_update: None,
            },
            counted_by: None,
            is_given: false,
            is_dropped: false,
            before: Vec::new(),
            given: None,
        });
        self.conversion.notes.extend(notes);
        for column in definition.columns {
            if column.is_collated {
                self.note(
                    Code::OtherCollation,
                    &name,
                    Some(&column.name),
                    "its collation is left out",
                );
            }
            if let Some(default) = column.default {
                self.default(&name, &column.name, &default)?;
            }
        }
        for constraint in definition.constraints {
            self.constraint(&name, constraint);
        }
        Ok(())
    }

    /// The enum types that `columns` are the first to use.
    fn enum_types(&mut self, columns: &[Column]) -> Vec<EnumType> {
        let mut types = Vec::new();
        for column in columns {
            if let DataType::Enum(name) = &column.data_type
                && let Some((enum_type, is_used)) = self.enums.get_mut(name)
                && !std::mem::replace(is_used, true)
            {
                self.names.reserve(name);
                types.push(enum_type.clone());
            }
        }
        types
    }

    /// `convert` drops a table again, as the dump of MySQL did; pg_dump drops tables before it creates them.
    fn dropped(&mut self, table: &str) -> Result<()> {
        let Some(number) = self.number(table) else {
            return Ok(());
        };
        self.settle()?;
        self.conversion.forget(None, table);
        self.conversion.route = None;
        self.tables[number].is_dropped = true;
        self.conversion.sink.drop_table(number)
    }

    /// `convert` has found a value that does not fit into the type of its column.
    fn changed_type(&mut self, table: &str, column: String, data_type: &str) -> Result<()> {
        let Some(number) = self.number(table) else {
            return Ok(());
        };
        self.settle()?;
        let to = match data_type {
            "smallint" => Wider::Smallint,
            "numeric" => Wider::Numeric,
            "json" => Wider::Json,
            "text" => Wider::Text,
            other => {
                let what = format!("the dump changes the type of {table}.{column} to {other}");
                return Err(Error::failed(what));
            }
        };
        let pending = &mut self.tables[number];
        let mut columns = pending.table.columns.iter();
        let found = columns.find(|known| known.name == column).cloned();
        let is_first = !pending.before.iter().any(|known| known.name == column);
        pending.before.extend(found.filter(|_| is_first));
        pending.table.widen(&column, to);
        let widening = Widening { column, to, row: 0 };
        self.conversion.sink.widen(number, &widening)
    }

    fn constraint(&mut self, table: &str, constraint: Constraint) {
        let Some(number) = self.number(table) else {
            return;
        };
        let Constraint {
            name,
            kind,
            has_more,
        } = constraint;
        let table = &mut self.tables[number].table;
        let other = |what: &str| (Code::InOtherForm, what.to_owned());
        let left_out = |why: &str| (Code::CheckLeftOut, format!("left out: {why}"));
        let told = match kind {
            ConstraintKind::PrimaryKey(columns) if table.primary_key.is_none() => {
                table.primary_key = Some(PrimaryKey {
                    name: name.clone(),
                    columns,
                    kept_as: KeptAs::Key,
                    comment: None,
                });
                has_more.then(|| other("it became an ordinary primary key"))
            }
            ConstraintKind::PrimaryKey(_) => Some(left_out("it is the second primary key")),
            ConstraintKind::Unique(columns) => {
                match from_postgresql::unique_index(table, name.clone(), &columns) {
                    Ok(index) => {
                        table.indexes.push(index);
                        Some(other("it became a unique index, without a constraint"))
                    }
                    Err(why) => Some(left_out(&why)),
                }
            }
            ConstraintKind::ForeignKey {
                columns,
                references,
                referenced_columns,
                on_delete,
                on_update,
            } => {
                table.foreign_keys.push(from_postgresql::foreign_key(
                    name.clone(),
                    [columns, referenced_columns],
                    references,
                    [on_delete, on_update],
                ));
                has_more.then(|| other("it became an ordinary foreign key"))
            }
            ConstraintKind::Check(expression) => {
                match from_postgresql::check(&name, &expression, &table.columns) {
                    Some(check) => {
                        table.checks.push(check);
                        has_more.then(|| other("it became an ordinary CHECK"))
                    }
                    None => Some(left_out(UNKNOWN_CHECK)),
                }
            }
            ConstraintKind::Other("CHECK") => Some(left_out(UNKNOWN_CHECK)),
            ConstraintKind::Other(kind) => {
                Some(left_out(&format!("{kind} constraints are not supported")))
            }
        };
        if let Some((code, what)) = told {
            let table = table.name.clone();
            self.note(code, &table, Some(&name), what);
        }
    }

    /// Gives the sink the new tables, without keys and indexes, because more of them may follow.
    fn settle(&mut self) -> Result<()> {
        check_types(&self.unsupported)?;
        let begin = self.tables.iter().position(|pending| !pending.is_given);
        for number in begin.unwrap_or(self.tables.len())..self.tables.len() {
            self.name_sequence(number);
            let pending = &mut self.tables[number];
            pending.is_given = true;
            self.conversion.sink.table(&bare(&pending.table))?;
        }
        Ok(())
    }

    /// A sequence is renamed, as `convert` does before a table that has its name.
    fn rename_sequence(&mut self, from: String, to: String) {
        self.sequences.rename(&from, &to);
        let counted = |pending: &&mut Pending| pending.counted_by.as_ref() == Some(&from);
        let Some(pending) = self.tables.iter_mut().find(counted) else {
            return;
        };
        pending.counted_by = Some(to.clone());
        let given = pending.is_given;
        if let Some(sequence) = pending.table.sequence.as_mut().filter(|_| !given) {
            sequence.name = to;
        } else {
            self.sequences.rename_in_target(from, to);
        }
    }

    /// The names before and after of the sequences that give way to the next table.
    fn give_way(&mut self) -> Vec<(String, String)> {
        let renamed = self.sequences.giving_way();
        for (from, to) in &renamed {
            self.names.rename_sequence(from, to);
            let tables = self.tables.iter_mut();
            let mut sequences = tables.filter_map(|pending| pending.table.sequence.as_mut());
            if let Some(sequence) = sequences.find(|sequence| sequence.name == *from) {
                sequence.name.clone_from(to);
            }
        }
        renamed
    }

    fn identity(&mut self, table: &str, column: &str, sequence: SequenceDefinition) -> Result<()> {
        if self.number(table).is_none() {
            return Ok(());
        }
        let what = "the identity column became a column with an owned sequence";
        self.note(Code::Sequence, table, Some(column), what);
        let default = DefaultValue::NextValue(sequence.name.clone());
        self.sequences.add(sequence);
        self.default(table, column, &default)
    }

    /// Names the sequence of a table as in the dump, unless the name is already used.
    fn name_sequence(&mut self, number: usize) {
        let pending = &mut self.tables[number];
        let table = pending.table.name.clone();
        let Some(sequence) = &mut pending.table.sequence else {
            return;
        };
        let wanted = sequence.name.clone();
        sequence.name = self.names.give_to_sequence(&wanted, &table);
        let (given, column) = (sequence.name.clone(), sequence.column.clone());
        if given != wanted {
            let what = format!("its sequence is named {given}; {wanted} is already used");
            self.note(Code::Renamed, &table, Some(&column), what);
        }
        let what = match self.sequences.used(&wanted) {
            None => format!("the dump has no sequence {wanted}; it was created"),
            Some(definition) => match &definition.increment {
                Some(increment) => {
                    format!("its sequence had INCREMENT {increment}; now it has INCREMENT 1")
                }
                None => return,
            },
        };
        self.note(Code::Sequence, &table, Some(&column), what);
    }

    fn plan(&self, insert: &Arc<InsertTarget>, number: usize) -> Result<Route> {
        let pending = &self.tables[number];
        let table = &pending.table;
        let names: Vec<&str> = match &insert.columns {
            None => table.columns.iter().map(|c| c.name.as_str()).collect(),
            Some(columns) => columns.iter().map(String::as_str).collect(),
        };
        let place = |name: &str| table.columns.iter().position(|column| column.name == name);
        let mut written = Vec::new();
        for name in &names {
            let Some(place) = place(name) else {
                let what = format!(
                    "{}: rows have a column {name} that the table does not have",
                    table.name
                );
                return Err(Error::failed(what));
            };
            // All rows of a table are compared in one form.
            let before = pending.before.iter().find(|column| column.name == *name);
            let column = before.unwrap_or(&table.columns[place]);
            written.push((*name, normal(&column.data_type)));
        }
        let layout = self.conversion.layout(&table.name, &written, place);
        let layout = layout.map(|layout| Arc::new(layout.of_lines()));
        let columns: Vec<PlannedColumn> = names.into_iter().map(PlannedColumn::as_is).collect();
        let sink = &self.conversion.sink;
        let statement = sink.statement(table, &columns, Format::Text);
        Ok(Route {
            insert: Arc::clone(insert),
            table: number,
            statement: statement.into(),
            plan: Arc::new(TranscodePlan {
                columns: Vec::new(),
                written: Written::Lines,
                format: Format::Text,
                multibyte: Multibyte::None,
                is_decoded: false,
                unusual: Arc::default(),
                numbers_rows: false,
                quoting: Quoting::default(),
                layout,
            }),
        })
    }

    /// The last steps: next values of sequences, comments on indexes.
    fn complete(&mut self) -> Result<()> {
        let tables = self.tables.iter_mut().enumerate();
        for (number, pending) in tables.filter(|(_, pending)| !pending.is_dropped) {
            if let (Some(sequence), Some(name)) = (&mut pending.table.sequence, &pending.counted_by)
            {
                sequence.next_at_least = self.sequences.next(name);
            }
            for index in &mut pending.table.indexes {
                index.comment = self.index_comments.remove(&index.name);
            }
            if let Some(key) = &mut pending.table.primary_key {
                key.comment = self.index_comments.remove(&key.name);
            }
            if let Some(given) = pending.given.take() {
                let now = bare(&pending.table);
                self.conversion.sink.alter(number, &given, &now)?;
            }
            self.conversion.sink.complete(number, &pending.table)?;
        }
        for name in self.sequences.unused() {
            let what = "the sequence was left out: no column uses it as its default";
            self.note(Code::ObjectLeftOut, &name, None, what);
        }
        let unused = self.enums.values().filter(|(_, is_used)| !is_used);
        let mut unused: Vec<String> = unused.map(|(of_enum, _)| of_enum.name.clone()).collect();
        unused.sort();
        for name in unused {
            self.note(
                Code::ObjectLeftOut,
                &name,
                None,
                "the type was left out: no column uses it",
            );
        }
        Ok(())
    }
}

impl<S: Sink> Consumer for PostgresqlConverter<S> {
    fn definition(&mut self, definition: Definition) -> Result<()> {
        match definition {
            Definition::Table(table) => self.table(table)?,
            Definition::Sequence(sequence) => self.sequences.add(sequence),
            Definition::RenamedSequence { from, to } => self.rename_sequence(from, to),
            Definition::EnumType { name, values } => {
                let enum_type = EnumType {
                    name: name.clone(),
                    values,
                };
                if self
                    .enums
                    .insert(name.clone(), (enum_type, false))
                    .is_some()
                {
                    return Err(Error::failed(format!("the dump has two types {name}"))
                        .hint("dump one schema only: pg_dump --schema"));
                }
            }
            Definition::Default {
                table,
                column,
                default,
            } => self.default(&table, &column, &default)?,
            Definition::NoDefault { table, column } => self.no_default(&table, &column)?,
            Definition::Nullable { table, column } => self.nullable(&table, &column),
            Definition::Dropped { table } => self.dropped(&table)?,
            Definition::ChangedType {
                table,
                column,
                data_type,
            } => self.changed_type(&table, column, &data_type)?,
            Definition::NotNull { table, columns } => {
                if let Some(number) = self.number(&table) {
                    let pending = &mut self.tables[number];
                    let known = pending.table.columns.iter_mut();
                    for found in known.filter(|known| columns.contains(&known.name)) {
                        found.not_null = true;
                        found.not_null_after_load = pending.is_given;
                    }
                }
            }
            Definition::Identity {
                table,
                column,
                sequence,
            } => self.identity(&table, &column, sequence)?,
            Definition::Constraint { table, constraint } => self.constraint(&table, constraint),
            Definition::Index(index) => {
                let Some(number) = self.number(&index.table) else {
                    return Ok(());
                };
                let table = &mut self.tables[number].table;
                match from_postgresql::index(table, &index) {
                    Ok(index) => table.indexes.push(index),
                    Err(why) => {
                        let what = format!("the index is left out: {why}");
                        self.note(Code::IndexLeftOut, &index.table, Some(&index.name), what);
                    }
                }
            }
            Definition::SetValue { sequence, next } => {
                self.sequences.set_next(sequence, next);
            }
            Definition::UpdateTrigger {
                name,
                table,
                columns,
            } => self.update_trigger(&table, name, columns),
            Definition::Comment {
                table,
                column,
                text,
            } => self.comment(&table, column.as_deref(), text),
            Definition::IndexComment { index, text } => {
                self.index_comments.insert(index, text);
            }
        }
        Ok(())
    }

    fn rows(&mut self, chunk: RowChunk) -> Result<()> {
        let hint = "make the dump without --data-only";
        let Some(number) = self.conversion.number_of(None, &chunk.insert.table, hint)? else {
            return Ok(());
        };
        self.settle()?;
        let route = match self.conversion.known_route(&chunk.insert) {
            Some(route) => route,
            None => self.plan(&chunk.insert, number)?,
        };
        self.conversion.give(route, chunk)
    }

    fn end(&mut self) -> Result<()> {
        self.settle()?;
        self.complete()
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.conversion.sink.spare()
    }
}
