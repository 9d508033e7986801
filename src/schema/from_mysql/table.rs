//! Maps a table: its columns first, then its sequence, keys and constraints.

use super::generated::GeneratedValues;
use super::known_columns::KnownColumns;
use super::mapper::{DumpFacts, GivenColumns, GivenRows, Lookup, Mapper, indexes};
use super::prepared::{Prepared, prepared};
use crate::dump::Duplicates;
use crate::dump::mysql::definition::{
    ColumnDefinition, KeyDefinition, KeyKind, LeftOut, TableDefinition,
};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::rows::ValueKind;
use crate::schema::model::{Check, Column, DataType, Note, Sequence, Table};
use crate::schema::names::{Names, fitting};
use crate::schema::policies::{ColumnPolicies, Enums, Policies};
use crate::schema::sql;

/// How a note begins of a column that is left out because its type is not supported. The reason follows.
pub const UNSUPPORTED: &str = "left out: ";

/// A mapped table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The table as it will be.
    pub table: Table,
    /// How the values of each column are transcoded, in the order of MySQL's columns.
    pub kinds: Vec<ValueKind>,
    /// The name of each column in MySQL, and its name in the table if it is not left out.
    pub names: Vec<(String, Option<String>)>,
    /// The policies for each column, likewise.
    pub policies: Vec<ColumnPolicies>,
    /// Which generated columns have values in the dump.
    pub generated: GeneratedValues,
    /// What is different in PostgreSQL.
    pub notes: Vec<Note>,
}

/// Maps `definition`, whose rows are `given`, as `policies` say. `names` holds the names given so
/// far.
pub fn from_mysql(
    definition: &TableDefinition,
    facts: DumpFacts,
    mut given: GivenRows,
    policies: &Policies,
    names: &mut Names,
) -> Result<Mapped> {
    let Prepared {
        definition,
        renamed,
        notes,
    } = prepared(definition, policies)?;
    rename_given(&mut given, &renamed);
    let map = policies
        .map
        .table(definition.database.as_deref(), &definition.name);
    let name = map.and_then(|map| map.name.as_deref());
    let mut mapper = Mapper {
        definition: &definition,
        lookup: Lookup::of(&definition),
        renamed,
        facts,
        policies,
        names,
        name: fitting(name.unwrap_or(&definition.name)),
        map,
        columns: KnownColumns::default(),
        enum_types: Vec::new(),
        notes,
        given,
    };
    mapper.map()
}

/// Calls the columns of the rows as the prepared definition does.
fn rename_given(given: &mut GivenRows, renamed: &[(String, String)]) {
    if let GivenColumns::Named(names) = &mut given.columns {
        for name in names {
            let found = renamed
                .iter()
                .find(|(_, old)| old.eq_ignore_ascii_case(name));
            if let Some((new, _)) = found {
                name.clone_from(new);
            }
        }
    }
}

/// What is known of the columns of a table, besides the columns themselves.
#[derive(Default)]
struct MappedColumns {
    /// As [`Mapped::kinds`].
    kinds: Vec<ValueKind>,
    /// As [`Mapped::names`].
    names: Vec<(String, Option<String>)>,
    /// The CHECKs of the columns that are enums.
    checks: Vec<Check>,
    /// The columns that an UPDATE sets, and the current time of each.
    on_update: Vec<(String, String)>,
}

impl MappedColumns {
    /// Leaves out the column that MySQL calls `name`.
    fn skip(&mut self, name: &str) {
        self.kinds.push(ValueKind::Skipped);
        self.names.push((name.to_owned(), None));
    }
}

impl Mapper<'_> {
    fn map(&mut self) -> Result<Mapped> {
        let definition = self.definition;
        let Some(renamed_sequences) = self.names.reserve_table(&self.name) else {
            return Err(
                Error::failed(format!("the name {} is defined twice", self.name)).hint(
                    "a dump of one database defines a table once, and the map gives a name to one; --skip-table leaves one out",
                ),
            );
        };
        self.note_names(&renamed_sequences);
        let MappedColumns {
            mut kinds,
            mut names,
            checks,
            on_update,
        } = self.columns()?;
        let mut generated = self.generated_columns(&mut kinds)?;
        for (dump_name, name) in &mut names {
            let is_here = self.columns.get(dump_name).is_some();
            name.take_if(|_| !is_here);
            *dump_name = self.dump_name(dump_name).to_owned();
        }
        for name in generated.given.iter_mut().chain(&mut generated.missing) {
            *name = self.dump_name(name).to_owned();
        }
        let mut table = Table {
            schema: None,
            name: self.name.clone(),
            columns: self
                .columns
                .iter()
                .map(|(_, column)| column.clone())
                .collect(),
            primary_key: None,
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            checks,
            enum_types: std::mem::take(&mut self.enum_types),
            sequence: self.sequence(),
            duplicates: Duplicates::Refused,
            renamed_sequences,
            comment: definition
                .options
                .comment
                .clone()
                .filter(|comment| !comment.is_empty()),
            on_update: self.update_trigger(on_update),
        };
        for key in &definition.keys {
            self.key(key, &mut table)?;
        }
        let decides = self.given.duplicates != Duplicates::Refused && table.has_unique_key();
        if decides && self.policies.settles {
            table.duplicates = self.given.duplicates;
        } else if decides {
            let what = "its rows replace or keep others with the same key, which only an import does: such rows are errors";
            self.note(Code::RowsReplaced, None, what.to_owned());
        }
        self.foreign_keys(&mut table);
        self.checks(&mut table);
        let notes = self.take_notes();
        Ok(Mapped {
            table,
            kinds,
            names,
            policies: definition
                .columns
                .iter()
                .map(|it| self.choices(it))
                .collect(),
            generated,
            notes,
        })
    }

    /// Notes which names are others than in the dump: that of the table, and those of sequences that had it.
    fn note_names(&mut self, renamed_sequences: &[(String, String)]) {
        let definition = self.definition;
        for (from, to) in renamed_sequences {
            let what = format!("a sequence had this name; {from} is named {to} now");
            self.note(Code::Renamed, None, what);
        }
        if self.name != definition.name {
            self.note(
                Code::Renamed,
                None,
                format!("the table was named {}", definition.name),
            );
        }
    }

    /// All notes, with those of the table as a whole.
    fn take_notes(&mut self) -> Vec<Note> {
        self.note_unknown_columns();
        for LeftOut { code, item, what } in &self.definition.left_out {
            self.note(*code, item.as_deref(), what.clone());
        }
        self.note_of_engine();
        std::mem::take(&mut self.notes)
    }

    /// Whether the column that the dump calls `name` is taken.
    fn takes_column(&self, name: &str) -> bool {
        let definition = self.definition;
        let database = definition.database.as_deref();
        self.policies.takes_column(database, &definition.name, name)
    }

    /// Maps all columns, without the expressions of generated ones.
    fn columns(&mut self) -> Result<MappedColumns> {
        let definition = self.definition;
        let mut mapped_columns = MappedColumns::default();
        let mut column_names = Names::default();
        for column in &definition.columns {
            let dump_name = self.dump_name(&column.name).to_owned();
            if !self.takes_column(&dump_name) {
                self.note(
                    Code::ColumnLeftOut,
                    Some(&dump_name),
                    "the column was skipped".to_owned(),
                );
                mapped_columns.skip(&column.name);
                continue;
            }
            let (mut mapped, kind) = match self.column(column) {
                Err(error) if self.policies.skip_unsupported => {
                    self.note(
                        Code::ColumnLeftOut,
                        Some(&column.name),
                        format!("{UNSUPPORTED}{error}"),
                    );
                    mapped_columns.skip(&column.name);
                    continue;
                }
                mapped => mapped?,
            };
            mapped.name = column_names.give(&column.name, "column");
            if mapped.name != column.name {
                self.note(
                    Code::Renamed,
                    Some(&mapped.name),
                    format!("the column was named {}", column.name),
                );
            }
            let is_text = self.choices(column).enums == Enums::Text || is_of_bytes(column);
            if column.data_type.name == "enum" && is_text {
                let check = enum_check(&self.name, &mapped.name, column);
                mapped_columns.checks.push(check);
            }
            if column.on_update {
                let now = self.time_of_update(column, &mapped);
                let name = mapped.name.clone();
                mapped_columns.on_update.extend(now.map(|now| (name, now)));
            }
            mapped_columns.kinds.push(kind);
            let names = (column.name.clone(), Some(mapped.name.clone()));
            mapped_columns.names.push(names);
            self.columns.push(column.name.clone(), mapped);
        }
        Ok(mapped_columns)
    }

    fn column(&mut self, column: &ColumnDefinition) -> Result<(Column, ValueKind)> {
        let (data_type, kind) = if is_of_bytes(column) {
            (DataType::Bytea, ValueKind::Bytes)
        } else {
            self.data_type(column)?
        };
        let (data_type, kind) = self.retyped(column, data_type, kind)?;
        let default = self.default(column, &data_type);
        if column.invisible {
            let what = "the column was INVISIBLE, and is visible now".to_owned();
            self.note(Code::OptionLeftOut, Some(&column.name), what);
        }
        if column.data_type.zerofill {
            let what = "ZEROFILL left out: numbers are shown without leading zeros".to_owned();
            self.note(Code::OptionLeftOut, Some(&column.name), what);
        }
        let may_hold_zero_dates = matches!(
            kind,
            ValueKind::Date | ValueKind::Timestamp | ValueKind::LocalTimestamp
        );
        let wider = self.wider(column, &data_type, kind);
        let comment = column.comment.clone().filter(|comment| !comment.is_empty());
        let mapped = Column {
            not_null: !column.nullable,
            not_null_after_load: !column.nullable && may_hold_zero_dates,
            default,
            wider,
            comment,
            ..Column::new(&column.name, data_type)
        };
        Ok((mapped, kind))
    }

    /// Notes the columns that the user names, but the table does not have.
    fn note_unknown_columns(&mut self) {
        let definition = self.definition;
        let of_map = self.map.iter().flat_map(|map| map.columns.keys());
        let skipped = self.policies.skip_columns.iter();
        let skipped = skipped.filter(|(table, _)| *table == definition.name);
        let named = of_map.map(|name| (name, "the map"));
        let named = named.chain(skipped.map(|(_, column)| (column, "--skip-column")));
        let has = |name: &str| {
            let mut columns = definition.columns.iter();
            columns.any(|column| self.dump_name(&column.name) == name)
        };
        let mut unknown: Vec<(&String, &str)> = named.filter(|(name, _)| !has(name)).collect();
        unknown.sort_unstable();
        for (name, place) in unknown {
            let what = format!("{place} names a column {name}, which the table does not have");
            self.note(Code::NotInDump, None, what);
        }
    }

    /// Notes what the engine does, if PostgreSQL does not.
    fn note_of_engine(&mut self) {
        let definition = self.definition;
        if definition.is_versioned() {
            let what = "system versioning left out: the history of the rows is not kept";
            self.note(Code::OptionLeftOut, None, what.to_owned());
        }
        let engine = definition.options.engine.as_deref().unwrap_or_default();
        if engine.eq_ignore_ascii_case("BLACKHOLE") {
            let what = "its engine BLACKHOLE kept no rows; this table does";
            self.note(Code::OptionLeftOut, None, what.to_owned());
        }
    }

    fn sequence(&mut self) -> Option<Sequence> {
        let definition = self.definition;
        // --skip-create-options and similar options leave it out as well, and the engine with it.
        let has_none = self.facts.compatible || definition.options.engine.is_none();
        let is_rails_id = |column: &ColumnDefinition| {
            let alone = definition.keys.iter().any(|key| {
                key.kind == KeyKind::Primary && key.parts.len() == 1 && indexes(&key.parts[0], "id")
            });
            has_none && column.name == "id" && alone
        };
        let found = definition
            .columns
            .iter()
            .find(|c| c.auto_increment || is_rails_id(c))?;
        let column = self.columns.get(&found.name)?;
        let is_number = matches!(
            column.data_type,
            DataType::Smallint | DataType::Integer | DataType::Bigint | DataType::DoublePrecision
        );
        let wanted = format!("{}_{}_seq", self.name, column.name);
        let (column, data_type) = (column.name.clone(), column.data_type.clone());
        let is_first = |key: &KeyDefinition| {
            let first = key.parts.first();
            first.is_some_and(|part| indexes(part, &found.name))
        };
        if found.auto_increment && !definition.keys.iter().any(is_first) {
            let what = "its values were counted for each value of the columns before it in its key; now they are counted for the table";
            self.note(Code::Sequence, Some(&column), what.to_owned());
        }
        is_number.then(|| Sequence {
            name: self.names.give_to_sequence(&wanted, &self.name),
            column,
            data_type,
            next_at_least: definition.options.auto_increment.unwrap_or(1),
        })
    }
}

/// Whether `column` is an enum or set of bytes: no text can hold their values.
fn is_of_bytes(column: &ColumnDefinition) -> bool {
    !column.data_type.bytes.is_empty()
}

fn enum_check(table: &str, column: &str, definition: &ColumnDefinition) -> Check {
    let data_type = &definition.data_type;
    let bytes = data_type.bytes.iter().map(|value| bytea(value));
    let texts = data_type.values.iter().map(|value| sql::literal(value));
    let values: Vec<String> = if is_of_bytes(definition) {
        bytes.collect()
    } else {
        texts.collect()
    };
    let column_name = sql::identifier(column);
    Check {
        name: fitting(&format!("{table}_{column}_check")),
        expression: format!("{column_name} IN ({})", values.join(", ")),
    }
}

/// A literal of bytes.
fn bytea(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("'\\x{digits}'::bytea")
}
