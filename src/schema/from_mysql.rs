//! Maps a MySQL table definition to the model, and decides how each column's values go.

use super::expression::{Purpose, translate};
use super::names::fitting;
use super::{
    Check, Column, DataType, EnumType, ForeignKey, Index, IndexKind, IndexPart, IndexPartOf, Names,
    Note, Prefix, PrimaryKey, Sequence, Table,
};
use crate::charset::Charset;
use crate::dump::definition::{
    self, ColumnDefinition, DefaultValue, KeyDefinition, KeyKind, KeyPart, KeyPartOf,
    TableDefinition,
};
use crate::error::{Error, Result};
use crate::policies::{Enums, Policies, Times, Timestamps, Tinyint1};
use crate::rows::ValueKind;

/// The longest `varchar(n)` PostgreSQL takes (manual, 8.3).
const MAX_VARCHAR: u64 = 10_485_760;

/// The most digits `numeric(p,s)` can be declared with (manual, 8.1).
const MAX_PRECISION: u64 = 1000;

/// A mapped table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The table as it will be.
    pub table: Table,
    /// How the values of each column go, in the order of MySQL's columns.
    pub kinds: Vec<ValueKind>,
    /// MySQL's names of the columns, and theirs in the table if they are in it.
    pub names: Vec<(String, Option<String>)>,
    /// Generated columns that PostgreSQL cannot compute: their values must be in the dump.
    pub materialised: Vec<String>,
    /// What PostgreSQL gets differently.
    pub notes: Vec<Note>,
}

/// What the dump says of all its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DumpFacts {
    /// Whether AUTO_INCREMENT is left out: an integer primary key named `id` is taken for one, as
    /// Rails makes them.
    pub compatible: bool,
    /// The character set texts are in.
    pub charset: Charset,
    /// Whether timestamps are in UTC.
    pub utc: bool,
}

/// Maps `definition` as `policies` say. `names` holds the names given so far.
pub fn from_mysql(
    definition: &TableDefinition,
    facts: DumpFacts,
    policies: &Policies,
    names: &mut Names,
) -> Result<Mapped> {
    let mut mapper = Mapper {
        definition,
        facts,
        policies,
        names,
        name: fitting(&definition.name),
        columns: Vec::new(),
        enum_types: Vec::new(),
        notes: Vec::new(),
    };
    mapper.map()
}

struct Mapper<'a> {
    definition: &'a TableDefinition,
    facts: DumpFacts,
    policies: &'a Policies,
    names: &'a mut Names,
    /// The table's name.
    name: String,
    /// The columns that are in the table, by MySQL's names.
    columns: Vec<(String, Column)>,
    enum_types: Vec<EnumType>,
    notes: Vec<Note>,
}

impl Mapper<'_> {
    fn map(&mut self) -> Result<Mapped> {
        let definition = self.definition;
        if !self.names.reserve(&self.name) {
            return Err(
                Error::failed(format!("the name {} is defined twice", self.name)).hint(
                    "a dump of one database defines a table once; --skip-table leaves one out",
                ),
            );
        }
        if self.name != definition.name {
            self.note(None, format!("the table was named {}", definition.name));
        }
        let mut kinds = Vec::new();
        let mut names = Vec::new();
        let mut column_names = Names::default();
        let mut checks = Vec::new();
        for column in &definition.columns {
            if !self.policies.takes_column(&definition.name, &column.name) {
                self.note(Some(&column.name), "the column was skipped".to_owned());
                kinds.push(ValueKind::Skipped);
                names.push((column.name.clone(), None));
                continue;
            }
            let (mut mapped, kind) = match self.column(column) {
                Err(error) if self.policies.skip_unsupported => {
                    self.note(Some(&column.name), error.to_string());
                    kinds.push(ValueKind::Skipped);
                    names.push((column.name.clone(), None));
                    continue;
                }
                mapped => mapped?,
            };
            mapped.name = column_names.give(&column.name, "column");
            if mapped.name != column.name {
                self.note(
                    Some(&mapped.name),
                    format!("the column was named {}", column.name),
                );
            }
            if column.data_type.name == "enum" && self.policies.enums == Enums::Text {
                checks.push(enum_check(
                    &self.name,
                    &mapped.name,
                    &column.data_type.values,
                ));
            }
            kinds.push(kind);
            names.push((column.name.clone(), Some(mapped.name.clone())));
            self.columns.push((column.name.clone(), mapped));
        }
        let materialised = self.generated_columns(&mut kinds);
        let mut table = Table {
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
            comment: definition
                .options
                .comment
                .clone()
                .filter(|comment| !comment.is_empty()),
        };
        for key in &definition.keys {
            self.key(key, &mut table)?;
        }
        self.foreign_keys(&mut table);
        self.checks(&mut table);
        let notes = std::mem::take(&mut self.notes);
        Ok(Mapped {
            table,
            kinds,
            names,
            materialised,
            notes,
        })
    }

    fn column(&mut self, column: &ColumnDefinition) -> Result<(Column, ValueKind)> {
        let (data_type, kind) = self.data_type(column)?;
        let default = self.default(column, &data_type);
        if column.on_update {
            self.note(
                Some(&column.name),
                "ON UPDATE CURRENT_TIMESTAMP left out".to_owned(),
            );
        }
        let may_hold_zero_dates = matches!(
            kind,
            ValueKind::Date | ValueKind::Timestamp | ValueKind::LocalTimestamp
        );
        let comment = column.comment.clone().filter(|comment| !comment.is_empty());
        let mapped = Column {
            not_null: !column.nullable,
            not_null_after_load: !column.nullable && may_hold_zero_dates,
            default,
            comment,
            ..Column::new(&column.name, data_type)
        };
        Ok((mapped, kind))
    }

    /// The design's table of types.
    fn data_type(&mut self, column: &ColumnDefinition) -> Result<(DataType, ValueKind)> {
        let written = &column.data_type;
        let number = |at: usize| written.numbers.get(at).copied();
        let is_json = || self.is_checked_json(&column.name);
        Ok(match (written.name.as_str(), written.unsigned) {
            ("tinyint", _) if number(0) == Some(1) => self.tinyint1(),
            ("bool" | "boolean", _) => self.tinyint1(),
            ("tinyint" | "year" | "int1", _) | ("smallint" | "int2", false) => {
                (DataType::Smallint, ValueKind::Integer)
            }
            ("smallint" | "int2", true)
            | ("mediumint" | "int3", _)
            | ("int" | "integer" | "int4", false) => (DataType::Integer, ValueKind::Integer),
            ("int" | "integer" | "int4", true) | ("bigint" | "int8", false) => {
                (DataType::Bigint, ValueKind::Integer)
            }
            ("bigint" | "int8", true)
                if column.auto_increment || self.is_in_a_key(&column.name) =>
            {
                (DataType::Bigint, ValueKind::UnsignedToBigint)
            }
            ("bigint" | "int8", true) => (DataType::Numeric(20, 0), ValueKind::Integer),
            ("float" | "double" | "real", _) => (DataType::DoublePrecision, ValueKind::Number),
            ("decimal" | "numeric" | "dec" | "fixed", _) => {
                let precision = number(0).unwrap_or(10).min(MAX_PRECISION);
                (
                    DataType::Numeric(precision, number(1).unwrap_or(0)),
                    ValueKind::Number,
                )
            }
            ("varchar", _) => match number(0) {
                Some(length @ 1..=MAX_VARCHAR) => (DataType::Varchar(length), self.text(column)?),
                _ => (DataType::Text, self.text(column)?),
            },
            ("char", _) => match number(0) {
                Some(0) => (DataType::Text, self.text(column)?),
                length => (DataType::Char(length.unwrap_or(1)), self.text(column)?),
            },
            ("longtext", _) if is_json() => (DataType::Json, self.text(column)?),
            ("enum", _) if self.policies.enums == Enums::Type => {
                (self.enum_type(column), self.text(column)?)
            }
            ("tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set", _) => {
                (DataType::Text, self.text(column)?)
            }
            ("binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob", _) => {
                (DataType::Bytea, ValueKind::Bytes)
            }
            ("bit", _) => match number(0).unwrap_or(1) {
                1 => (DataType::Boolean, ValueKind::BitBoolean),
                width => {
                    let bits = u8::try_from(width).unwrap_or(u8::MAX).min(64);
                    (DataType::Bit(width), ValueKind::Bits { width: bits })
                }
            },
            ("json", _) => (DataType::Jsonb, self.text(column)?),
            ("uuid", _) => (DataType::Uuid, ValueKind::Text),
            ("inet4" | "inet6", _) => (DataType::Inet, ValueKind::Text),
            ("date", _) => (DataType::Date, ValueKind::Date),
            ("datetime", _) => (
                DataType::Timestamp(precision(written)),
                ValueKind::Timestamp,
            ),
            ("timestamp", _) => self.timestamp(column)?,
            ("time", _) => match self.policies.time {
                Times::Time => (DataType::Time(precision(written)), ValueKind::Time),
                Times::Interval => (DataType::Interval(precision(written)), ValueKind::Interval),
            },
            (other, _) => {
                let table = &self.definition.name;
                let column = &column.name;
                let message = format!("column {table}.{column}: the type {other} is not supported");
                return Err(Error::failed(message)
                    .hint(format!("--skip-column {table}.{column} leaves it out")));
            }
        })
    }

    fn tinyint1(&self) -> (DataType, ValueKind) {
        match self.policies.tinyint1 {
            Tinyint1::Boolean => (DataType::Boolean, ValueKind::Boolean),
            Tinyint1::Truthy => (DataType::Boolean, ValueKind::Truthy),
            Tinyint1::Smallint => (DataType::Smallint, ValueKind::Integer),
        }
    }

    fn timestamp(&self, column: &ColumnDefinition) -> Result<(DataType, ValueKind)> {
        let precision = precision(&column.data_type);
        if !self.facts.utc && self.policies.timestamps != Timestamps::Utc {
            let (table, column) = (&self.definition.name, &column.name);
            return Err(Error::failed(format!(
                "column {table}.{column}: the dump does not say that its timestamps are in UTC"
            ))
            .hint("make the dump with --tz-utc, or take them as they are: --timestamps utc"));
        }
        Ok(match self.policies.timestamps {
            Timestamps::Utc => (DataType::Timestamp(precision), ValueKind::Timestamp),
            Timestamps::Tz => (DataType::Timestamptz(precision), ValueKind::Timestamp),
            Timestamps::Local => (DataType::Timestamp(precision), ValueKind::LocalTimestamp),
        })
    }

    /// How a text column's values go: where texts are in their columns' own character sets, that
    /// is the column's, or the table's.
    fn text(&self, column: &ColumnDefinition) -> Result<ValueKind> {
        let charset = match self.facts.charset {
            Charset::Binary => {
                let own = column.data_type.charset.as_ref();
                let name = own.or(self.definition.options.charset.as_ref());
                name.map_or(Ok(Charset::Utf8), |name| Charset::named(name))
                    .map_err(|error| {
                        error.at(format!("column {}.{}", self.definition.name, column.name))
                    })?
            }
            charset => charset,
        };
        Ok(match charset {
            Charset::Utf8 | Charset::Binary => ValueKind::Text,
            // JSON is in utf8mb4 whatever the table is in.
            Charset::Other(..)
                if column.data_type.name == "json" && self.facts.charset == Charset::Binary =>
            {
                ValueKind::Text
            }
            other @ Charset::Other(..) => ValueKind::EncodedText(other),
        })
    }

    fn enum_type(&mut self, column: &ColumnDefinition) -> DataType {
        let wanted = format!("{}_{}", self.name, column.name);
        let name = self.names.give(&wanted, &self.name);
        self.enum_types.push(EnumType {
            name: name.clone(),
            values: column.data_type.values.clone(),
        });
        DataType::Enum(name)
    }

    /// Lets PostgreSQL compute the generated columns it can; of the others the dump's values are
    /// taken. Returns the names of the latter.
    fn generated_columns(&mut self, kinds: &mut [ValueKind]) -> Vec<String> {
        let plain: Vec<Column> = self
            .columns
            .iter()
            .filter(|(name, _)| {
                self.definition_of(name)
                    .is_some_and(|c| c.generated.is_none())
            })
            .map(|(name, column)| Column {
                name: name.clone(),
                ..column.clone()
            })
            .collect();
        let mut materialised = Vec::new();
        for (at, definition) in self.definition.columns.iter().enumerate() {
            let Some(generated) = &definition.generated else {
                continue;
            };
            let Some((_, column)) = self
                .columns
                .iter_mut()
                .find(|(name, _)| *name == definition.name)
            else {
                continue;
            };
            column.default = None;
            let of_text = matches!(column.data_type, DataType::Char(_) | DataType::Enum(_));
            let what = match translate(&generated.expression, &plain, Purpose::Value) {
                Some(expression) if !of_text => {
                    column.generated = Some(expression);
                    kinds[at] = ValueKind::Skipped;
                    if generated.stored {
                        continue;
                    }
                    "a virtual column, is stored".to_owned()
                }
                _ => {
                    materialised.push(definition.name.clone());
                    column.not_null = false;
                    column.not_null_after_load = false;
                    format!(
                        "generated as {}, is an ordinary column now",
                        generated.expression
                    )
                }
            };
            self.note(Some(&definition.name), what);
        }
        materialised
    }

    fn definition_of(&self, name: &str) -> Option<&ColumnDefinition> {
        self.definition
            .columns
            .iter()
            .find(|column| column.name == name)
    }

    /// The default as SQL, if it can be kept.
    fn default(&mut self, column: &ColumnDefinition, data_type: &DataType) -> Option<String> {
        let sql = match column.default.as_ref()? {
            DefaultValue::Null => return None,
            DefaultValue::Text(text) | DefaultValue::Number(text) => {
                constant(text, data_type).ok_or(text)
            }
            DefaultValue::Bits(digits) => match data_type {
                DataType::Bit(width) => {
                    let width = usize::try_from(*width).unwrap_or(0).min(64);
                    Ok(format!("B'{digits:0>width$}'"))
                }
                _ => constant(digits.trim_start_matches('0'), data_type).ok_or(digits),
            },
            DefaultValue::Hex(digits) if *data_type == DataType::Bytea => {
                Ok(format!("'\\x{digits}'::bytea"))
            }
            DefaultValue::Hex(digits) => Err(digits),
            DefaultValue::Expression(expression) => {
                current_time(expression, &column.data_type.name, data_type).ok_or(expression)
            }
        };
        match sql {
            Ok(sql) => Some(sql),
            Err(written) => {
                self.note(Some(&column.name), format!("default {written} left out"));
                None
            }
        }
    }

    fn sequence(&mut self) -> Option<Sequence> {
        let definition = self.definition;
        // --skip-create-options and its kin leave it out as well, and the engine with it.
        let has_none = self.facts.compatible || !definition.options.has_engine;
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
        let (_, column) = self.columns.iter().find(|(name, _)| *name == found.name)?;
        // An AUTO_INCREMENT may also be a floating-point number; no sequence is.
        let is_whole = matches!(
            column.data_type,
            DataType::Smallint | DataType::Integer | DataType::Bigint
        );
        let wanted = format!("{}_{}_seq", self.name, column.name);
        let (column, data_type) = (column.name.clone(), column.data_type.clone());
        is_whole.then(|| Sequence {
            name: self.names.give(&wanted, &self.name),
            column,
            data_type,
            next_at_least: definition.options.auto_increment.unwrap_or(1),
        })
    }

    fn key(&mut self, key: &KeyDefinition, table: &mut Table) -> Result<()> {
        let key_name = key.name.clone().unwrap_or_else(|| "PRIMARY".to_owned());
        let mut parts = Vec::new();
        for part in &key.parts {
            match self.key_part(part, key.kind) {
                Ok(Some(part)) => parts.push(part),
                Ok(None) => {
                    self.note(Some(&key_name), "the index was left out".to_owned());
                    return Ok(());
                }
                Err(error) => return Err(error.at(format!("key {key_name} of {}", self.name))),
            }
        }
        let is_whole = |part: &IndexPart| matches!(part.of, IndexPartOf::Column(_, None, _));
        let kind = match key.kind {
            KeyKind::Primary if parts.iter().all(is_whole) => {
                let columns = parts.into_iter().filter_map(|part| match part.of {
                    IndexPartOf::Column(name, ..) => Some(name),
                    IndexPartOf::Expression(_) => None,
                });
                let columns: Vec<String> = columns.collect();
                let name = fitting(&format!("{}_pkey", self.name));
                table.primary_key = Some(PrimaryKey { name, columns });
                return Ok(());
            }
            KeyKind::Primary => {
                let what = "the primary key, over part of a column, is a unique index now";
                self.note(None, what.to_owned());
                IndexKind::Unique
            }
            KeyKind::Unique => IndexKind::Unique,
            KeyKind::Plain => IndexKind::Plain,
            KeyKind::Fulltext => {
                let what = "the fulltext index is GIN over to_tsvector('simple', …) now";
                self.note(Some(&key_name), what.to_owned());
                IndexKind::Fulltext
            }
            KeyKind::Spatial => {
                self.note(Some(&key_name), "the spatial index was left out".to_owned());
                return Ok(());
            }
        };
        table.indexes.push(Index {
            name: key
                .name
                .clone()
                .unwrap_or_else(|| fitting(&format!("{}_pkey", self.name))),
            kind,
            parts,
            comment: key.comment.clone(),
        });
        Ok(())
    }

    /// A part of a key; none if PostgreSQL cannot have it.
    fn key_part(&self, part: &KeyPart, kind: KeyKind) -> Result<Option<IndexPart>> {
        let of = match &part.of {
            KeyPartOf::Column(name) => {
                let found = |(known, _): &&(String, Column)| known.eq_ignore_ascii_case(name);
                let Some((_, column)) = self.columns.iter().find(found) else {
                    return match self.definition_of(name) {
                        Some(_) => Ok(None),
                        None => Err(Error::failed(format!("there is no column {name}"))),
                    };
                };
                let data_type = column.data_type.clone();
                if data_type == DataType::Json && kind != KeyKind::Fulltext {
                    return Ok(None);
                }
                let prefix = part.prefix.and_then(|length| prefix(length, &data_type));
                IndexPartOf::Column(column.name.clone(), prefix, data_type)
            }
            KeyPartOf::Expression(expression) => {
                let columns: Vec<Column> = self
                    .columns
                    .iter()
                    .map(|(_, column)| column.clone())
                    .collect();
                match translate(expression, &columns, Purpose::Value) {
                    Some(expression) => IndexPartOf::Expression(expression),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(IndexPart {
            of,
            descending: part.descending,
        }))
    }

    fn foreign_keys(&mut self, table: &mut Table) {
        for (at, key) in self.definition.foreign_keys.iter().enumerate() {
            let default = || format!("{}_ibfk_{}", self.name, at + 1);
            let name = fitting(&key.name.clone().unwrap_or_else(default));
            let columns: Option<Vec<String>> = key
                .columns
                .iter()
                .map(|name| {
                    let found = |(known, _): &&(String, Column)| known.eq_ignore_ascii_case(name);
                    self.columns
                        .iter()
                        .find(found)
                        .map(|(_, column)| column.name.clone())
                })
                .collect();
            let Some(columns) = columns else {
                self.note(
                    Some(&name),
                    "the foreign key was left out with its column".to_owned(),
                );
                continue;
            };
            table.foreign_keys.push(ForeignKey {
                name,
                columns,
                references: fitting(&key.references),
                referenced_columns: key.referenced_columns.iter().map(|c| fitting(c)).collect(),
                // PostgreSQL takes NO ACTION and RESTRICT as MySQL does.
                on_delete: key.on_delete.clone(),
                on_update: key.on_update.clone(),
            });
        }
    }

    fn checks(&mut self, table: &mut Table) {
        let definition = self.definition;
        let columns: Vec<Column> = self
            .columns
            .iter()
            .filter(|(name, column)| *name == column.name)
            .map(|(_, column)| column.clone())
            .collect();
        for (name, check) in &definition.checks {
            if definition
                .columns
                .iter()
                .any(|column| is_json_check(check, &column.name))
            {
                continue;
            }
            let Some(expression) = translate(check, &columns, Purpose::Check) else {
                self.note(name.as_deref(), format!("CHECK ({check}) was left out"));
                continue;
            };
            let number = table.checks.len() + 1;
            let default = || format!("{}_chk_{number}", self.name);
            let name = fitting(&name.clone().unwrap_or_else(default));
            table.checks.push(Check { name, expression });
        }
    }

    fn is_checked_json(&self, column: &str) -> bool {
        self.definition
            .checks
            .iter()
            .any(|(_, check)| is_json_check(check, column))
    }

    fn is_in_a_key(&self, column: &str) -> bool {
        let in_index = self
            .definition
            .keys
            .iter()
            .flat_map(|key| &key.parts)
            .any(|part| indexes(part, column));
        in_index
            || self
                .definition
                .foreign_keys
                .iter()
                .any(|key| key.columns.iter().any(|c| c == column))
    }

    fn note(&mut self, item: Option<&str>, what: String) {
        self.notes.push(Note {
            table: self.name.clone(),
            item: item.map(str::to_owned),
            what,
        });
    }
}

/// Digits of a second. What is more is a width, as MySQL 4.0 wrote it.
fn precision(written: &definition::DataType) -> Option<u64> {
    written
        .numbers
        .first()
        .copied()
        .filter(|digits| *digits <= 6)
}

fn enum_check(table: &str, column: &str, values: &[String]) -> Check {
    let values: Vec<String> = values
        .iter()
        .map(|value| super::ddl::literal(value))
        .collect();
    let column_name = super::ddl::identifier(column);
    Check {
        name: fitting(&format!("{table}_{column}_check")),
        expression: format!("{column_name} IN ({})", values.join(", ")),
    }
}

fn indexes(part: &KeyPart, column: &str) -> bool {
    matches!(&part.of, KeyPartOf::Column(name) if name == column)
}

fn is_json_check(check: &str, column: &str) -> bool {
    let bare: String = check
        .chars()
        .filter(|c| !matches!(c, '`' | '"' | ' '))
        .collect();
    let column: String = column.chars().filter(|c| *c != ' ').collect();
    bare.eq_ignore_ascii_case(&format!("json_valid({column})"))
}

/// The prefix of an index, unless it covers the whole column anyway.
fn prefix(length: u64, data_type: &DataType) -> Option<Prefix> {
    match data_type {
        DataType::Varchar(n) | DataType::Char(n) if *n <= length => None,
        DataType::Bytea => Some(Prefix::Bytes(length)),
        _ => Some(Prefix::Characters(length)),
    }
}

/// A constant default as SQL, if it is one of `data_type`.
fn constant(text: &str, data_type: &DataType) -> Option<String> {
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    match data_type {
        DataType::Boolean => match text.trim_start_matches('0') {
            "" => Some("false".to_owned()),
            "1" => Some("true".to_owned()),
            _ => None,
        },
        DataType::Smallint
        | DataType::Integer
        | DataType::Bigint
        | DataType::Numeric(..)
        | DataType::DoublePrecision => is_number.then(|| text.to_owned()),
        DataType::Varchar(_)
        | DataType::Char(_)
        | DataType::Text
        | DataType::Enum(_)
        | DataType::Json
        | DataType::Jsonb
        | DataType::Uuid
        | DataType::Inet
        | DataType::Time(_)
        | DataType::Interval(_) => (!text.contains('\0')).then(|| super::ddl::literal(text)),
        DataType::Bytea => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            Some(format!("'\\x{hex}'::bytea"))
        }
        DataType::Date | DataType::Timestamp(_) | DataType::Timestamptz(_) => {
            // A date with a zero part is none; one without is left to PostgreSQL to judge.
            let mut parts = text.split([' ', '-']).take(3);
            let has_zero_part = parts.any(|part| part.trim_matches('0').is_empty());
            let zone = if matches!(data_type, DataType::Timestamptz(_)) {
                "+00"
            } else {
                ""
            };
            (!has_zero_part).then(|| super::ddl::literal(&format!("{text}{zone}")))
        }
        DataType::Bit(_) => None,
    }
}

/// `CURRENT_TIMESTAMP` in its many spellings. A timestamp is in UTC, as in the dump; a datetime
/// is in the time zone of whoever inserts.
fn current_time(expression: &str, mysql_type: &str, data_type: &DataType) -> Option<String> {
    let name = expression
        .split('(')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_now =
        ["current_timestamp", "now", "localtime", "localtimestamp"].contains(&name.as_str());
    match (data_type, mysql_type) {
        _ if !is_now => None,
        (DataType::Timestamptz(_), _) => Some("now()".to_owned()),
        (DataType::Timestamp(_), "timestamp") => Some("timezone('UTC', now())".to_owned()),
        (DataType::Timestamp(_), _) => Some("LOCALTIMESTAMP".to_owned()),
        (DataType::Date, _) => Some("CURRENT_DATE".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::ddl;
    use super::*;
    use crate::dump::definition::create_table;

    fn mapped(sql: &str, compatible: bool) -> Result<Mapped> {
        mapped_by(sql, compatible, &Policies::default())
    }

    fn mapped_by(sql: &str, compatible: bool, policies: &Policies) -> Result<Mapped> {
        let facts = DumpFacts {
            compatible,
            charset: Charset::Utf8,
            utc: true,
        };
        from_mysql(&create_table(sql)?, facts, policies, &mut Names::default())
    }

    fn column_type(definition: &str) -> String {
        let mapped = mapped(&format!("CREATE TABLE t (c {definition})"), false);
        let mapped = mapped.unwrap_or_else(|error| panic!("{definition}: {error}"));
        mapped.table.columns[0].data_type.to_string()
    }

    #[test]
    fn types() {
        let cases = [
            ("tinyint(1)", "boolean"),
            ("tinyint(4)", "smallint"),
            ("tinyint(3) unsigned", "smallint"),
            ("smallint(5) unsigned", "integer"),
            ("mediumint(9)", "integer"),
            ("int", "integer"),
            ("int(11)", "integer"),
            ("int(10) unsigned", "bigint"),
            ("bigint(20)", "bigint"),
            ("bigint(20) unsigned", "numeric(20,0)"),
            ("bigint(20) unsigned UNIQUE", "bigint"),
            ("float", "double precision"),
            ("double(10,2)", "double precision"),
            ("decimal(65,30)", "numeric(65,30)"),
            ("decimal", "numeric(10,0)"),
            ("varchar(255)", "character varying(255)"),
            ("char(3)", "character(3)"),
            ("longtext", "text"),
            ("enum('a')", "text"),
            ("varbinary(10)", "bytea"),
            ("mediumblob", "bytea"),
            ("bit(1)", "boolean"),
            ("bit(9)", "bit(9)"),
            ("json", "jsonb"),
            ("longtext CHECK (json_valid(`c`))", "json"),
            ("date", "date"),
            ("datetime", "timestamp without time zone"),
            ("timestamp(3)", "timestamp(3) without time zone"),
            ("time(6)", "time(6) without time zone"),
            ("year(4)", "smallint"),
        ];
        for (mysql, postgresql) in cases {
            assert_eq!(column_type(mysql), postgresql, "{mysql}");
        }
    }

    #[test]
    fn what_is_not_mapped_is_an_error_naming_table_and_column() {
        let sql = "CREATE TABLE t (c geometry)";
        let error = mapped(sql, false).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column t.c: the type geometry is not supported"
        );
        assert_eq!(error.hint_text(), Some("--skip-column t.c leaves it out"));
        let skip_columns = vec![("t".to_owned(), "c".to_owned())];
        let policies = Policies {
            skip_columns,
            ..Policies::default()
        };
        let mapped = mapped_by(sql, false, &policies).unwrap();
        assert_eq!(
            (mapped.table.columns.len(), mapped.kinds[0]),
            (0, ValueKind::Skipped)
        );
    }

    #[test]
    fn generated_columns() {
        let mapped = mapped(
            "CREATE TABLE t (a int, b int AS (`a` * 2) STORED, c varchar(9) AS (upper(`b`)))",
            false,
        )
        .unwrap();
        assert_eq!(
            mapped.table.columns[1].generated.as_deref(),
            Some("(\"a\" * 2)")
        );
        assert_eq!(
            mapped.kinds,
            [ValueKind::Integer, ValueKind::Skipped, ValueKind::Text]
        );
        assert_eq!(mapped.materialised, ["c"]);
    }

    #[test]
    fn defaults() {
        let cases = [
            ("tinyint(1) DEFAULT '0'", "false"),
            ("tinyint(1) DEFAULT 1", "true"),
            ("bit(1) DEFAULT b'0'", "false"),
            ("bit(4) DEFAULT b'101'", "B'0101'"),
            ("int DEFAULT '3600'", "3600"),
            ("int DEFAULT -1", "-1"),
            ("varchar(9) DEFAULT ''", "''"),
            (r"varchar(9) DEFAULT 'it\'s \\'", r"E'it''s \\'"),
            (
                "timestamp DEFAULT CURRENT_TIMESTAMP",
                "timezone('UTC', now())",
            ),
            ("datetime DEFAULT current_timestamp()", "LOCALTIMESTAMP"),
            ("date DEFAULT '2015-10-01'", "'2015-10-01'"),
        ];
        for (definition, expected) in cases {
            let mapped = mapped(&format!("CREATE TABLE t (c {definition})"), false).unwrap();
            assert_eq!(
                mapped.table.columns[0].default.as_deref(),
                Some(expected),
                "{definition}"
            );
        }
        for left_out in [
            "datetime DEFAULT '0000-00-00 00:00:00'",
            "char(36) DEFAULT (uuid())",
        ] {
            let mapped = mapped(&format!("CREATE TABLE t (c {left_out})"), false).unwrap();
            assert_eq!(mapped.table.columns[0].default, None);
            assert_eq!(mapped.notes.len(), 1, "{left_out}");
        }
    }

    #[test]
    fn sequences() {
        let native =
            "CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)) AUTO_INCREMENT=7";
        let sequence = mapped(native, false).unwrap().table.sequence.unwrap();
        assert_eq!(
            (sequence.name.as_str(), sequence.next_at_least),
            ("t_id_seq", 7)
        );
        let bare = "CREATE TABLE t (\"id\" int(11) NOT NULL, PRIMARY KEY (\"id\"))";
        let complete = "CREATE TABLE t (id int NOT NULL, PRIMARY KEY (id)) ENGINE=InnoDB";
        assert!(mapped(bare, false).unwrap().table.sequence.is_some());
        assert!(mapped(complete, false).unwrap().table.sequence.is_none());
        assert!(mapped(bare, true).unwrap().table.sequence.is_some());
        let text = "CREATE TABLE t (\"id\" varchar(9) NOT NULL, PRIMARY KEY (\"id\"))";
        assert!(mapped(text, true).unwrap().table.sequence.is_none());
        let two = "CREATE TABLE t (\"id\" int NOT NULL, b int, PRIMARY KEY (\"id\", b))";
        assert!(mapped(two, true).unwrap().table.sequence.is_none());
    }

    #[test]
    fn ddl_of_a_whole_table() {
        let table = mapped(
            "CREATE TABLE `t` (`id` int(11) NOT NULL AUTO_INCREMENT, `e` enum('a','b') COMMENT 'x',
             `d` datetime NOT NULL, `s` varchar(20), PRIMARY KEY (`id`),
             UNIQUE KEY `u` (`s`(10),`e` DESC), KEY `k` (`s`(20))) COMMENT='it''s'",
            false,
        )
        .unwrap()
        .table;
        let style = ddl::Style::in_schema("st");
        assert_eq!(
            ddl::create_table(style, &table),
            "CREATE SEQUENCE \"st\".\"t_id_seq\" AS integer;\n\
             CREATE TABLE \"st\".\"t\" (\n  \
             \"id\" integer DEFAULT nextval('\"st\".\"t_id_seq\"'::regclass) NOT NULL,\n  \
             \"e\" text,\n  \
             \"d\" timestamp without time zone,\n  \
             \"s\" character varying(20)\n);\n\
             ALTER SEQUENCE \"st\".\"t_id_seq\" OWNED BY \"st\".\"t\".\"id\";\n\
             COMMENT ON TABLE \"st\".\"t\" IS 'it''s';\n\
             COMMENT ON COLUMN \"st\".\"t\".\"e\" IS 'x';\n"
        );
        assert_eq!(
            ddl::create_index(style, "t", &table.indexes[0], "u")[0],
            "CREATE UNIQUE INDEX \"u\" ON \"st\".\"t\" USING btree \
             (\"left\"(\"s\"::text, 10), \"e\" DESC)"
        );
        assert!(ddl::create_index(style, "t", &table.indexes[1], "k")[0].ends_with("(\"s\")"));
        assert_eq!(
            ddl::add_check(style, "t", &table.checks[0]),
            "ALTER TABLE \"st\".\"t\" ADD CONSTRAINT \"t_e_check\" CHECK (\"e\" IN ('a', 'b'))"
        );
    }
}
