//! Maps a table: its columns first, then its sequence, keys and constraints.

use super::generated::GeneratedValues;
use super::mapper::{DumpFacts, GivenRows, Mapper, indexes};
use crate::dump::Duplicates;
use crate::dump::mysql::definition::{ColumnDefinition, KeyKind, TableDefinition};
use crate::error::{Error, Result};
use crate::rows::ValueKind;
use crate::schema::model::{Check, Column, DataType, Note, Sequence, Table};
use crate::schema::names::{Names, fitting};
use crate::schema::policies::{Enums, Policies};
use crate::schema::sql;

/// A mapped table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The table as it will be.
    pub table: Table,
    /// How the values of each column are transcoded, in the order of MySQL's columns.
    pub kinds: Vec<ValueKind>,
    /// The name of each column in MySQL, and its name in the table if it is not left out.
    pub names: Vec<(String, Option<String>)>,
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
    given: GivenRows,
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
        given,
    };
    mapper.map()
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
        let MappedColumns {
            mut kinds,
            mut names,
            checks,
        } = self.columns()?;
        let generated = self.generated_columns(&mut kinds)?;
        for (dump_name, name) in &mut names {
            let is_here = self.columns.iter().any(|(known, _)| known == dump_name);
            name.take_if(|_| !is_here);
        }
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
            duplicates: Duplicates::Refused,
            comment: definition
                .options
                .comment
                .clone()
                .filter(|comment| !comment.is_empty()),
        };
        for key in &definition.keys {
            self.key(key, &mut table)?;
        }
        if self.policies.settles && table.has_unique_key() {
            table.duplicates = self.given.duplicates;
        }
        self.foreign_keys(&mut table);
        self.checks(&mut table);
        for (item, what) in &definition.left_out {
            self.note(item.as_deref(), what.clone());
        }
        let notes = std::mem::take(&mut self.notes);
        Ok(Mapped {
            table,
            kinds,
            names,
            generated,
            notes,
        })
    }

    /// Maps all columns, without the expressions of generated ones.
    fn columns(&mut self) -> Result<MappedColumns> {
        let definition = self.definition;
        let mut mapped_columns = MappedColumns::default();
        let mut column_names = Names::default();
        for column in &definition.columns {
            if !self.policies.takes_column(&definition.name, &column.name) {
                self.note(Some(&column.name), "the column was skipped".to_owned());
                mapped_columns.skip(&column.name);
                continue;
            }
            let (mut mapped, kind) = match self.column(column) {
                Err(error) if self.policies.skip_unsupported => {
                    self.note(Some(&column.name), error.to_string());
                    mapped_columns.skip(&column.name);
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
                let values = &column.data_type.values;
                let check = enum_check(&self.name, &mapped.name, values);
                mapped_columns.checks.push(check);
            }
            mapped_columns.kinds.push(kind);
            let names = (column.name.clone(), Some(mapped.name.clone()));
            mapped_columns.names.push(names);
            self.columns.push((column.name.clone(), mapped));
        }
        Ok(mapped_columns)
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
        let wider = self.wider(&data_type, kind);
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
}

fn enum_check(table: &str, column: &str, values: &[String]) -> Check {
    let values: Vec<String> = values.iter().map(|value| sql::literal(value)).collect();
    let column_name = sql::identifier(column);
    Check {
        name: fitting(&format!("{table}_{column}_check")),
        expression: format!("{column_name} IN ({})", values.join(", ")),
    }
}
