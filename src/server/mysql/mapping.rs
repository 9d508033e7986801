//! Maps a table of a MySQL dump to a table for a MySQL server. They differ only in what the server does not
//! have.

use std::collections::HashSet;

use super::capabilities::Capabilities;
use super::expression::rewritten;
use super::lookup::Lookup;
use super::sql::literal;
use super::{collations, ddl};
use crate::dump::charset::Charset;
use crate::dump::mysql::definition::{
    ColumnDefinition, DefaultValue, KeyDefinition, KeyKind, KeyPartOf, LeftOut, StorageOption,
    TableDefinition,
};
use crate::dump::{Duplicates, Facts};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::pipeline::converter::{Mapped, MappedAgain, MappedColumn, Mapping, changes_rows};
use crate::rows::{Normal, PlannedColumn, ValueKind};
use crate::schema::policies::Policies;
use crate::schema::{GeneratedValues, GivenRows, Note, text_kind};

/// A table for a MySQL server.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The definition that the table is created from.
    pub definition: TableDefinition,
    /// The columns of the dump in their order, and the kinds of their values.
    pub columns: Vec<(String, ValueKind)>,
}

impl Table {
    /// The AUTO_INCREMENT column.
    #[must_use]
    pub fn numbered(&self) -> Option<&str> {
        let found = self
            .definition
            .columns
            .iter()
            .find(|column| column.auto_increment);
        found.map(|column| column.name.as_str())
    }

    /// The column with this name, compared as MySQL compares names of columns.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnDefinition> {
        let same = |column: &&ColumnDefinition| column.name.eq_ignore_ascii_case(name);
        self.definition.columns.iter().find(same)
    }

    /// How values of the column `name` are normalised for the comparison, in the notation of LOAD DATA.
    #[must_use]
    pub fn normal(&self, name: &str) -> Normal {
        match self
            .column(name)
            .map(|column| column.data_type.name.as_str())
        {
            Some("float") => Normal::Real,
            Some("double" | "real") => Normal::Double,
            _ => Normal::AsIs,
        }
    }
}

/// The mapping for a server with these `capabilities`.
pub(super) struct ServerMapping {
    capabilities: Capabilities,
    /// The names of the tables so far.
    names: HashSet<String>,
}

impl ServerMapping {
    /// For a server with these capabilities.
    pub(super) fn new(capabilities: Capabilities) -> ServerMapping {
        ServerMapping {
            capabilities,
            names: HashSet::new(),
        }
    }
}

impl Mapping for ServerMapping {
    type Table = Table;

    fn forget(&mut self, table: &Table) {
        self.names.remove(&table.definition.name);
    }

    fn map(
        &mut self,
        definition: &TableDefinition,
        given: &GivenRows,
        facts: &Facts,
        charset: Charset,
        policies: &Policies,
    ) -> Result<Mapped<Table>> {
        let name = &definition.name;
        if !self.names.insert(name.clone()) {
            return Err(Error::failed(format!("the name {name} is defined twice"))
                .hint("a dump of one database defines a table once; --skip-table leaves one out"));
        }
        let (table, notes) = map(
            definition.clone(),
            facts,
            charset,
            policies,
            &self.capabilities,
        )?;
        let columns = table.columns.iter().map(|(name, kind)| MappedColumn {
            name: name.clone(),
            normal: table.normal(name),
            planned: PlannedColumn {
                kind: *kind,
                policies: policies.columns.values,
                ..PlannedColumn::as_is(name)
            },
        });
        Ok(Mapped {
            name: table.definition.name.clone(),
            columns: columns.collect(),
            generated: GeneratedValues::default(),
            duplicates: Duplicates::Refused,
            has_unique_key: false,
            table,
            given: given.clone(),
            notes,
        })
    }

    fn map_again(
        &mut self,
        definition: &TableDefinition,
        before: &Mapped<Table>,
        facts: &Facts,
        charset: Charset,
        policies: &Policies,
    ) -> Result<MappedAgain<Table>> {
        // It has its name already.
        let names = std::mem::take(&mut self.names);
        let mapped = self.map(definition, &before.given, facts, charset, policies);
        self.names = names;
        let mapped = mapped?;
        if mapped.table.columns != before.table.columns {
            return Err(changes_rows(&mapped.name, "its columns"));
        }
        Ok(MappedAgain {
            mapped,
            widenings: Vec::new(),
        })
    }
}

/// Maps `definition` from a dump with `facts` for a server with `capabilities`. Notes the differences.
fn map(
    definition: TableDefinition,
    facts: &Facts,
    charset: Charset,
    policies: &Policies,
    capabilities: &Capabilities,
) -> Result<(Table, Vec<Note>)> {
    if capabilities.renames(&definition.name) {
        let name = &definition.name;
        return Err(Error::target(format!(
            "the server keeps names of tables in lower case (lower_case_table_names = 1), and the dump has {name}"
        ))
        .hint(format!(
            "--skip-table {name} leaves it out; or rename it before it is dumped"
        )));
    }
    let mut mapper = Mapper {
        definition,
        capabilities,
        notes: Vec::new(),
    };
    let columns = mapper.columns(facts, charset, policies)?;
    mapper.skip_columns(policies);
    mapper.number_the_id(facts);
    mapper.types();
    for (item, what) in collations::map(&mut mapper.definition, mapper.capabilities) {
        mapper.note(Code::OtherCollation, item.as_deref(), what);
    }
    mapper.engine();
    mapper.storage(policies);
    mapper.keys();
    mapper.defaults();
    mapper.expressions()?;
    mapper.reference_systems();
    for LeftOut { code, item, what } in std::mem::take(&mut mapper.definition.left_out) {
        mapper.note(code, item.as_deref(), what);
    }
    let table = Table {
        definition: mapper.definition,
        columns,
    };
    Ok((table, mapper.notes))
}

struct Mapper<'a> {
    definition: TableDefinition,
    capabilities: &'a Capabilities,
    notes: Vec<Note>,
}

impl Mapper<'_> {
    /// MariaDB and MySQL write what limits a column to one spatial reference system in different ways.
    fn reference_systems(&mut self) {
        let columns = std::mem::take(&mut self.definition.columns);
        for column in &columns {
            if let Some(srid) = column.data_type.srid {
                self.note(
                    Code::OptionLeftOut,
                    Some(&column.name),
                    format!("its SRID {srid} was left out"),
                );
            }
        }
        self.definition.columns = columns;
    }

    fn note(&mut self, code: Code, item: Option<&str>, what: String) {
        self.notes.push(Note {
            code,
            table: self.definition.name.clone(),
            item: item.map(str::to_owned),
            what,
        });
    }

    fn columns(
        &mut self,
        facts: &Facts,
        charset: Charset,
        policies: &Policies,
    ) -> Result<Vec<(String, ValueKind)>> {
        let table = &self.definition;
        let mut columns = Vec::new();
        for column in &table.columns {
            let kind = if policies.takes_column(None, &table.name, &column.name) {
                kind(column, table, charset)?
            } else {
                ValueKind::Skipped
            };
            columns.push((column.name.clone(), kind));
        }
        let has_timestamps = table
            .columns
            .iter()
            .any(|c| c.data_type.name == "timestamp");
        if has_timestamps && !facts.utc {
            let what = "timestamps are read as UTC, but the dump does not say that they are";
            self.note(Code::TimestampsZone, None, what.to_owned());
        }
        Ok(columns)
    }

    /// Leaves out the columns to skip, and the keys that contain them.
    fn skip_columns(&mut self, policies: &Policies) {
        let table = self.definition.name.clone();
        let skipped = |name: &String| !policies.takes_column(None, &table, name);
        let (gone, columns) = std::mem::take(&mut self.definition.columns)
            .into_iter()
            .partition(|column: &ColumnDefinition| skipped(&column.name));
        self.definition.columns = columns;
        let gone: Vec<ColumnDefinition> = gone;
        for column in &gone {
            self.note(
                Code::ColumnLeftOut,
                Some(&column.name),
                "the column was skipped".to_owned(),
            );
        }
        let is_gone = |name: &String| {
            gone.iter()
                .any(|column| column.name.eq_ignore_ascii_case(name))
        };
        let has_gone = |key: &KeyDefinition| {
            key.parts
                .iter()
                .any(|part| matches!(&part.of, KeyPartOf::Column(name) if is_gone(name)))
        };
        let mut left_out = Vec::new();
        self.definition.keys.retain(|key| {
            let stays = !has_gone(key);
            if !stays {
                let name = key.name.clone().unwrap_or_else(|| "PRIMARY".to_owned());
                left_out.push((Code::IndexLeftOut, name));
            }
            stays
        });
        self.definition.foreign_keys.retain(|key| {
            let stays = !key.columns.iter().any(is_gone);
            if !stays {
                left_out.push((
                    Code::ForeignKeyLeftOut,
                    key.name.clone().unwrap_or_default(),
                ));
            }
            stays
        });
        for (code, name) in left_out {
            self.note(code, Some(&name), "left out with its column".to_owned());
        }
    }

    /// Dumps with `--compatible` lack AUTO_INCREMENT; in Rails each `id` has it.
    fn number_the_id(&mut self, facts: &Facts) {
        if !facts.compatible && self.definition.options.engine.is_some() {
            return;
        }
        let is_alone = self.definition.keys.iter().any(|key| {
            key.kind == KeyKind::Primary
                && matches!(&key.parts[..], [part] if matches!(&part.of, KeyPartOf::Column(name) if name == "id"))
        });
        let whole = ["tinyint", "smallint", "mediumint", "int", "bigint"];
        let columns = &mut self.definition.columns;
        if !is_alone || columns.iter().any(|column| column.auto_increment) {
            return;
        }
        let id = columns.iter_mut().find(|column| column.name == "id");
        if let Some(id) = id.filter(|id| whole.contains(&id.data_type.name.as_str())) {
            id.auto_increment = true;
            id.default = None;
        }
    }

    /// Replaces types that MariaDB has and MySQL does not, and other differences of columns.
    fn types(&mut self) {
        if self.capabilities.is_mariadb() {
            for column in &mut self.definition.columns {
                column.nullable |= column.generated.is_some();
            }
            return;
        }
        let mut notes = Vec::new();
        for column in &mut self.definition.columns {
            let data_type = &mut column.data_type;
            let known = std::mem::take(&mut data_type.name);
            let (name, length) = match known.as_str() {
                "uuid" => ("char", 36),
                "inet4" => ("varchar", 15),
                // 45 characters: an IPv6 address with an IPv4 address at its end.
                "inet6" => ("varchar", 45),
                _ => {
                    data_type.name = known;
                    continue;
                }
            };
            let what = format!(
                "the server does not have the type {known}; the column has {name}({length})"
            );
            notes.push((column.name.clone(), what));
            name.clone_into(&mut data_type.name);
            data_type.numbers = vec![length];
            data_type.charset = Some("ascii".to_owned());
        }
        for (column, what) in notes {
            self.note(Code::OtherType, Some(&column), what);
        }
    }

    /// In MySQL a default of a text, of bytes, JSON or a shape must be an expression, which needs MySQL
    /// 8.0.13 (MySQL manual, 13.6).
    fn defaults(&mut self) {
        if self.capabilities.is_mariadb() {
            return;
        }
        let has_expressions = self.capabilities.has_expression_keys();
        let mut notes = Vec::new();
        for column in &mut self.definition.columns {
            if !ddl::is_large_type(&column.data_type.name) {
                continue;
            }
            let written = match column.default.take() {
                Some(DefaultValue::Text(text)) => literal(&text),
                Some(DefaultValue::Number(number)) => number,
                Some(DefaultValue::Hex(digits)) => format!("x'{digits}'"),
                other => {
                    column.default = other;
                    continue;
                }
            };
            if has_expressions {
                column.default = Some(DefaultValue::Expression(written));
            } else {
                notes.push(column.name.clone());
            }
        }
        for column in notes {
            self.note(
                Code::DefaultLeftOut,
                Some(&column),
                "the default was left out".to_owned(),
            );
        }
    }

    fn engine(&mut self) {
        let options = &mut self.definition.options;
        let formats = ["DYNAMIC", "COMPACT", "REDUNDANT", "COMPRESSED"];
        let other = options
            .row_format
            .take_if(|format| !formats.contains(&format.as_str()));
        if let Some(format) = other {
            options.storage.push(StorageOption {
                of: None,
                what: format!("ROW_FORMAT={format}"),
            });
        }
        let capabilities = self.capabilities;
        let missing = options
            .engine
            .take_if(|engine| !capabilities.has_engine(engine));
        if let Some(engine) = missing {
            let what =
                format!("the server does not have the engine {engine}; the default engine is used");
            self.note(Code::OptionLeftOut, None, what);
        }
    }

    /// Leaves out the options of storage except the row format: the server has its own.
    fn storage(&mut self, policies: &Policies) {
        let table = self.definition.name.clone();
        for StorageOption { of, what } in std::mem::take(&mut self.definition.options.storage) {
            let takes = |of: &String| policies.takes_column(None, &table, of);
            if of.as_ref().is_none_or(takes) {
                self.note(
                    Code::OptionLeftOut,
                    of.as_deref(),
                    format!("{what} was left out"),
                );
            }
        }
    }

    /// Leaves out the keys that the server does not support.
    fn keys(&mut self) {
        if self.capabilities.has_expression_keys() {
            return;
        }
        let has_expression = |key: &mut KeyDefinition| {
            let mut parts = key.parts.iter();
            parts.any(|part| matches!(part.of, KeyPartOf::Expression(_)))
        };
        let gone: Vec<KeyDefinition> = self
            .definition
            .keys
            .extract_if(.., has_expression)
            .collect();
        for key in gone {
            let what = "the index was left out: the server has no indexes over expressions";
            self.note(Code::IndexLeftOut, key.name.as_deref(), what.to_owned());
        }
    }

    /// Leaves out expressions that are not known to be safe; for a generated column they are an error.
    fn expressions(&mut self) -> Result<()> {
        let table = self.definition.clone();
        let lookup = Lookup::of(&table);
        let is_safe = |written: &str| rewritten(written, &lookup).is_some();
        let mut notes = Vec::new();
        for (column, original) in self.definition.columns.iter_mut().zip(&table.columns) {
            let name = &column.name;
            if let Some(generated) = &column.generated
                && !is_safe(&generated.expression)
            {
                return Err(Error::failed(format!(
                    "column {}.{name}: the expression of this generated column is not supported: {}",
                    table.name, generated.expression
                ))
                .hint(format!("--skip-column {}.{name} leaves it out", table.name)));
            }
            let default = column.default.as_ref();
            if default.is_some_and(|d| ddl::default(d, original, &lookup).is_none()) {
                notes.push((
                    Code::DefaultLeftOut,
                    name.clone(),
                    "the default was left out".to_owned(),
                ));
                column.default = None;
            }
        }
        self.definition.checks.retain(|(name, check)| {
            let stays = is_safe(check);
            if !stays {
                let name = name.clone().unwrap_or_default();
                notes.push((
                    Code::CheckLeftOut,
                    name,
                    format!("CHECK ({check}) was left out"),
                ));
            }
            stays
        });
        for (code, item, what) in notes {
            self.note(code, Some(&item), what);
        }
        Ok(())
    }
}

/// The kind of the values of `column`.
fn kind(column: &ColumnDefinition, table: &TableDefinition, charset: Charset) -> Result<ValueKind> {
    if column.generated.is_some() {
        return Ok(ValueKind::Skipped);
    }
    let name = column.data_type.name.as_str();
    Ok(match name {
        "bit" => {
            let width = column.data_type.numbers.first().copied().unwrap_or(1);
            ValueKind::Bits {
                width: u8::try_from(width.min(64)).unwrap_or(64),
            }
        }
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
        | "json" | "uuid" | "inet4" | "inet6" => text_kind(table, column, charset)?,
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "float"
        | "double" | "real" | "decimal" | "numeric" | "dec" | "fixed" | "bool" | "boolean"
        | "date" | "datetime" | "timestamp" | "time" | "year" => ValueKind::AsWritten,
        _ if ddl::is_known_type(name) => ValueKind::Bytes,
        _ => {
            let table = &table.name;
            return Err(Error::failed(format!(
                "column {table}.{}: the type {name} is not supported",
                column.name
            ))
            .hint(format!(
                "--skip-column {table}.{} leaves it out",
                column.name
            )));
        }
    })
}
