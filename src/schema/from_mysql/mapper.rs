//! What is known of a MySQL table while it is mapped.

use std::collections::{HashMap, HashSet};

use super::known_columns::KnownColumns;
use crate::dump::Duplicates;
use crate::dump::charset::Charset;
use crate::dump::mysql::definition::{
    ColumnDefinition, KeyPart, KeyPartOf, TableDefinition, bare_check, json_check,
};
use crate::error::codes::Code;
use crate::schema::map::TableMap;
use crate::schema::model::{DataType, EnumType, Note};
use crate::schema::names::Names;
use crate::schema::policies::{ColumnPolicies, Enums, Policies};

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
    /// Whether the server had the order of axes of the spatial reference system in texts of geometries: MySQL, from 8.0 on.
    pub axes_by_system: bool,
    /// Whether keys may come later: then a `bigint unsigned` is taken for one that a key has.
    pub keys_follow: bool,
}

/// What is known of the rows of a table before they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenRows {
    /// The columns that they have.
    pub columns: GivenColumns,
    /// What becomes of a row whose key is there already.
    pub duplicates: Duplicates,
}

impl GivenRows {
    /// There are none.
    #[must_use]
    pub fn none() -> GivenRows {
        GivenRows {
            columns: GivenColumns::NoRows,
            duplicates: Duplicates::Refused,
        }
    }

    /// They have all columns.
    #[must_use]
    pub fn whole() -> GivenRows {
        GivenRows {
            columns: GivenColumns::All,
            duplicates: Duplicates::Refused,
        }
    }
}

/// Which columns the rows of a table have in the dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenColumns {
    /// All of them.
    All,
    /// These.
    Named(Vec<String>),
    /// It has no rows.
    NoRows,
}

/// Maps one table. The files beside this one have a method each: for types, defaults, keys.
pub(super) struct Mapper<'a> {
    pub(super) definition: &'a TableDefinition,
    pub(super) lookup: Lookup<'a>,
    /// Columns with another name than in the dump: the new one, and that.
    pub(super) renamed: Vec<(String, String)>,
    pub(super) facts: DumpFacts,
    pub(super) policies: &'a Policies,
    /// What the map says of the table.
    pub(super) map: Option<&'a TableMap>,
    pub(super) names: &'a mut Names,
    /// The table's name.
    pub(super) name: String,
    /// The columns that are in the table, by MySQL's names.
    pub(super) columns: KnownColumns,
    pub(super) enum_types: Vec<EnumType>,
    pub(super) notes: Vec<Note>,
    /// The rows.
    pub(super) given: GivenRows,
}

/// What is looked up in a definition for each of its columns.
pub(super) struct Lookup<'a> {
    /// The first column of each name.
    columns: HashMap<&'a str, &'a ColumnDefinition>,
    /// The columns of keys and foreign keys.
    in_keys: HashSet<&'a str>,
    /// The CHECKs, without quotes and blanks.
    checks: HashSet<String>,
}

impl<'a> Lookup<'a> {
    pub(super) fn of(definition: &'a TableDefinition) -> Lookup<'a> {
        let columns = definition.columns.iter().rev();
        let parts = definition.keys.iter().flat_map(|key| &key.parts);
        let indexed = parts.filter_map(|part| match &part.of {
            KeyPartOf::Column(name) => Some(name.as_str()),
            KeyPartOf::Expression(_) => None,
        });
        let foreign = definition.foreign_keys.iter().flat_map(|key| &key.columns);
        let checks = definition.checks.iter();
        Lookup {
            columns: columns
                .map(|column| (column.name.as_str(), column))
                .collect(),
            in_keys: indexed.chain(foreign.map(String::as_str)).collect(),
            checks: checks.map(|(_, check)| bare_check(check)).collect(),
        }
    }
}

impl<'a> Mapper<'a> {
    pub(super) fn definition_of(&self, name: &str) -> Option<&ColumnDefinition> {
        self.lookup.columns.get(name).copied()
    }

    /// The name in the dump of the column that the definition calls `name`.
    pub(super) fn dump_name<'n>(&'n self, name: &'n str) -> &'n str {
        let found = self.renamed.iter().find(|(new, _)| new == name);
        found.map_or(name, |(_, old)| old)
    }

    /// The policies for `column`.
    pub(super) fn choices(&self, column: &ColumnDefinition) -> ColumnPolicies {
        let general = self.policies.columns;
        let Some(map) = self.map else { return general };
        let mut choices = map.policies(general, self.dump_name(&column.name));
        if self.wanted_type(column).is_some() {
            choices.enums = Enums::Text;
        }
        choices
    }

    /// The type that the map names for `column`.
    pub(super) fn wanted_type(&self, column: &ColumnDefinition) -> Option<&'a DataType> {
        let of_column = self.map?.column(self.dump_name(&column.name))?;
        of_column.data_type.as_ref()
    }

    pub(super) fn is_checked_json(&self, column: &str) -> bool {
        self.lookup.checks.contains(&json_check(column))
    }

    pub(super) fn is_in_a_key(&self, column: &str) -> bool {
        self.lookup.in_keys.contains(column)
    }

    pub(super) fn note(&mut self, code: Code, item: Option<&str>, what: String) {
        self.notes.push(Note {
            code,
            table: self.name.clone(),
            item: item.map(str::to_owned),
            what,
        });
    }
}

/// Whether `part` of a key is `column`, whole or in part.
pub(super) fn indexes(part: &KeyPart, column: &str) -> bool {
    matches!(&part.of, KeyPartOf::Column(name) if name == column)
}
