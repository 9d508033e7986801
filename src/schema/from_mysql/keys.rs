//! Primary keys, indexes, foreign keys and CHECKs.

use std::collections::HashSet;

use super::expression::{translate_check, translate_key};
use super::mapper::Mapper;
use crate::dump::mysql::definition::{
    KeyDefinition, KeyKind, KeyPart, KeyPartOf, Period, bare_check, json_check,
};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::schema::model::{
    Check, DataType, ForeignKey, Index, IndexKind, IndexPart, IndexPartOf, KeptAs, Prefix,
    PrimaryKey, Table,
};
use crate::schema::names::fitting;
use crate::schema::sql::identifier;

impl Mapper<'_> {
    pub(super) fn key(&mut self, key: &KeyDefinition, table: &mut Table) -> Result<()> {
        let key_name = key.name.clone().unwrap_or_else(|| "PRIMARY".to_owned());
        let mut parts = Vec::new();
        for part in &key.parts {
            match self.key_part(part, key.kind) {
                Ok(Some(part)) => parts.push(part),
                Ok(None) => {
                    self.note(
                        Code::IndexLeftOut,
                        Some(&key_name),
                        "the index was left out".to_owned(),
                    );
                    return Ok(());
                }
                Err(error) => return Err(error.at(format!("key {key_name} of {}", self.name))),
            }
        }
        self.note_of_collation(key);
        let is_whole = |part: &IndexPart| matches!(part.of, IndexPartOf::Column(_, None, _));
        let kind = match key.kind {
            KeyKind::Primary if parts.iter().all(is_whole) => {
                let columns = parts.into_iter().filter_map(|part| match part.of {
                    IndexPartOf::Column(name, ..) => Some(name),
                    IndexPartOf::Expression(_) => None,
                });
                let columns: Vec<String> = columns.collect();
                let name = fitting(&format!("{}_pkey", self.name));
                if key.parts.iter().any(|part| part.descending) {
                    let what = "the order of the primary key is ascending now; it was DESC";
                    self.note(Code::IndexInOtherForm, Some(&key_name), what.to_owned());
                }
                table.primary_key = Some(PrimaryKey {
                    name,
                    columns,
                    kept_as: KeptAs::Key,
                    comment: key.comment.clone().filter(|comment| !comment.is_empty()),
                });
                return Ok(());
            }
            KeyKind::Primary => {
                let what = "the primary key, over part of a column, is a unique index now";
                self.note(Code::KeyWeaker, None, what.to_owned());
                IndexKind::Unique
            }
            KeyKind::Unique => IndexKind::Unique,
            KeyKind::Plain => IndexKind::Plain,
            KeyKind::Fulltext => {
                let what = "the fulltext index is GIN over to_tsvector('simple', …) now";
                self.note(Code::IndexInOtherForm, Some(&key_name), what.to_owned());
                IndexKind::Fulltext
            }
            KeyKind::Spatial => {
                let is_geometry = |part: &IndexPart| {
                    matches!(part.of, IndexPartOf::Column(_, _, DataType::Geometry(_)))
                };
                if !parts.iter().all(is_geometry) {
                    self.note(
                        Code::IndexLeftOut,
                        Some(&key_name),
                        "the spatial index was left out".to_owned(),
                    );
                    return Ok(());
                }
                IndexKind::Spatial
            }
        };
        table.indexes.push(Index {
            name: key
                .name
                .clone()
                .unwrap_or_else(|| fitting(&format!("{}_pkey", self.name))),
            kind,
            parts,
            comment: key.comment.clone().filter(|comment| !comment.is_empty()),
        });
        Ok(())
    }

    /// A part of a key; none if PostgreSQL cannot have it.
    fn key_part(&self, part: &KeyPart, kind: KeyKind) -> Result<Option<IndexPart>> {
        let of = match &part.of {
            KeyPartOf::Column(name) => {
                let Some((_, column)) = self.columns.find(name) else {
                    return match self.definition_of(name) {
                        Some(_) => Ok(None),
                        None => Err(Error::failed(format!("there is no column {name}"))),
                    };
                };
                let data_type = column.data_type.clone();
                let is_left_out = match data_type {
                    DataType::Json => kind != KeyKind::Fulltext,
                    DataType::Geometry(_) => kind != KeyKind::Spatial,
                    _ => false,
                };
                if is_left_out {
                    return Ok(None);
                }
                // MySQL shows the bytes of a spatial index as a prefix.
                let length = part.prefix.filter(|_| kind != KeyKind::Spatial);
                let prefix = length.and_then(|length| prefix(length, &data_type));
                IndexPartOf::Column(column.name.clone(), prefix, data_type)
            }
            KeyPartOf::Expression(expression) => {
                let unique = matches!(kind, KeyKind::Unique | KeyKind::Primary);
                match translate_key(expression, &self.operands(), unique) {
                    Some(expression) => IndexPartOf::Expression(expression),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(IndexPart {
            of,
            descending: part.descending,
            nulls_first: None,
            operator_class: None,
        }))
    }

    pub(super) fn foreign_keys(&mut self, table: &mut Table) {
        for (at, key) in self.definition.foreign_keys.iter().enumerate() {
            let default = || format!("{}_ibfk_{}", self.name, at + 1);
            let name = fitting(&key.name.clone().unwrap_or_else(default));
            let columns: Option<Vec<String>> = key
                .columns
                .iter()
                .map(|name| {
                    let (_, column) = self.columns.find(name)?;
                    Some(column.name.clone())
                })
                .collect();
            let Some(columns) = columns else {
                self.note(
                    Code::ForeignKeyLeftOut,
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
                // NO ACTION and RESTRICT mean the same in PostgreSQL.
                on_delete: key.on_delete.clone(),
                on_update: key.on_update.clone(),
            });
        }
    }

    pub(super) fn checks(&mut self, table: &mut Table) {
        let definition = self.definition;
        let columns = self.columns.iter();
        let json = columns
            .filter(|(_, column)| matches!(column.data_type, DataType::Json | DataType::Jsonb));
        let json: HashSet<String> = json.map(|(name, _)| json_check(name)).collect();
        for (name, check) in &definition.checks {
            // The type of a JSON column says the same.
            if json.contains(&bare_check(check)) {
                continue;
            }
            let Some(expression) = translate_check(check, &self.all_operands()) else {
                self.note(
                    Code::CheckLeftOut,
                    name.as_deref(),
                    format!("CHECK ({check}) was left out"),
                );
                continue;
            };
            let number = table.checks.len() + 1;
            let default = || format!("{}_chk_{number}", self.name);
            let name = fitting(&name.clone().unwrap_or_else(default));
            table.checks.push(Check { name, expression });
        }
        self.periods(table);
    }

    /// The begin of a period is before its end.
    fn periods(&mut self, table: &mut Table) {
        let definition = self.definition;
        for Period { name, begin, end } in &definition.periods {
            let column = |name: &String| {
                let found = self.columns.find(name);
                found.map(|(_, column)| column)
            };
            let (Some(begin), Some(end)) = (column(begin), column(end)) else {
                let what = "PERIOD FOR left out with its column";
                self.note(Code::CheckLeftOut, Some(name), what.to_owned());
                continue;
            };
            let [begin, end] = [begin, end].map(|column| identifier(&column.name));
            table.checks.push(Check {
                name: fitting(&format!("{}_{name}_check", self.name)),
                expression: format!("{begin} < {end}"),
            });
            let what = format!("PERIOD FOR is a CHECK now: {begin} < {end}");
            self.note(Code::InOtherForm, Some(name), what);
        }
    }
}

/// The prefix of an index, unless it covers the whole column anyway.
fn prefix(length: u64, data_type: &DataType) -> Option<Prefix> {
    match data_type {
        DataType::Varchar(n) | DataType::Char(n) if *n <= length => None,
        DataType::Bytea => Some(Prefix::Bytes(length)),
        _ => Some(Prefix::Characters(length)),
    }
}
