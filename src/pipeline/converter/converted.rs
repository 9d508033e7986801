//! Converts a dump that GitLab CI has converted before. A table is mapped twice: before its rows, as far as
//! it is known then, and at the end, with its keys.

use std::collections::BTreeMap;

use super::bare::bare;
use super::conversion::{Conversion, Taken};
use super::mapping::Mapped;
use super::mysql::MysqlConverter;
use super::postgresql_mapping::PostgresqlMapping;
use crate::dump::converted::{Damage, Part};
use crate::dump::mysql::definition::{
    ColumnDefinition, DefaultValue, KeyDefinition, KeyKind, KeyPart, KeyPartOf, TableDefinition,
};
use crate::dump::{Consumer, Facts, RowChunk};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::pipeline::sink::Sink;
use crate::schema::{GivenRows, Note, Table};

/// What GitLab CI's converter loses and nothing can restore.
const LOST: &str = "GitLab CI's converter lost NUL characters, texts that read 0000-00-00 00:00:00 (now \
    NULL), and index lengths with the columns after them";

/// A table whose parts come separately.
#[derive(Debug)]
struct Apart {
    definition: TableDefinition,
    damages: Vec<(Damage, String)>,
    /// The booleans whose defaults were restored.
    with_default: Vec<String>,
    /// The column whose default is the next value of a sequence.
    counted: Option<String>,
}

/// The consumer of a dump that GitLab CI has converted.
pub struct ConvertedConverter<S> {
    converter: MysqlConverter<PostgresqlMapping, S>,
    /// The tables whose parts come separately.
    apart: Vec<Apart>,
}

impl<S: Sink> ConvertedConverter<S> {
    /// Starts with a new conversion.
    pub fn new(conversion: Conversion<S>) -> Self {
        ConvertedConverter {
            converter: MysqlConverter::new(PostgresqlMapping::of_converted(), conversion),
            apart: Vec::new(),
        }
    }

    /// The conversion, with the sink and the notes.
    pub fn into_inner(self) -> Conversion<S> {
        self.converter.into_inner()
    }

    /// Takes the next part of the dump.
    fn take_part(&mut self, part: Part, facts: &Facts) -> Result<()> {
        match part {
            Part::Table(definition, damages) => self.take_apart(definition, damages, facts)?,
            Part::Key(table, key) => {
                if let Some(apart) = self.apart(&table)? {
                    apart.definition.keys.push(key);
                }
            }
            Part::ForeignKey(table, key) => {
                if let Some(apart) = self.apart(&table)? {
                    apart.definition.foreign_keys.push(key);
                }
            }
            Part::Boolean(table, column) => {
                if let Some(apart) = self.apart(&table)? {
                    apart.check_boolean(&column)?;
                }
            }
            Part::Default(table, column) => {
                if let Some(apart) = self.apart(&table)? {
                    apart.check_boolean(&column)?;
                    apart.with_default.push(column);
                }
            }
            Part::NextValue(table, column) => {
                if let Some(apart) = self.apart(&table)? {
                    apart.counted = Some(column);
                }
            }
            Part::End => self.put_together(facts)?,
        }
        Ok(())
    }

    fn take_apart(
        &mut self,
        definition: TableDefinition,
        damages: Vec<(Damage, String)>,
        facts: &Facts,
    ) -> Result<()> {
        let converter = &mut self.converter;
        if !converter.conversion.takes(None, &definition.name)? {
            return Ok(());
        }
        let mapped = converter.map(&definition, &GivenRows::whole(), facts)?;
        converter.conversion.sink.table(&bare(&mapped.table))?;
        converter.keep(None, &definition.name, mapped);
        self.apart.push(Apart {
            definition,
            damages,
            with_default: Vec::new(),
            counted: None,
        });
        Ok(())
    }

    /// The table that the end of the dump calls `name`; none if its rows are skipped. The converter writes
    /// most names there without quotes, so case is ignored.
    fn apart(&mut self, name: &str) -> Result<Option<&mut Apart>> {
        let alike = |known: &str| known.eq_ignore_ascii_case(name);
        let conversion = &self.converter.conversion;
        let number = match conversion.taken(None, name) {
            Some(Taken::Into(number)) => Some(number),
            Some(Taken::Not) => return Ok(None),
            None => self
                .apart
                .iter()
                .position(|apart| alike(&apart.definition.name)),
        };
        match number {
            Some(number) => Ok(self.apart.get_mut(number)),
            None if conversion.names().any(alike) => Ok(None),
            None => Err(Error::failed(format!(
                "the dump has keys, casts or sequences of {name}, but not its definition"
            ))),
        }
    }

    /// Completes the tables after the last part.
    fn put_together(&mut self, facts: &Facts) -> Result<()> {
        let converter = &mut self.converter;
        converter.mapping.name_again();
        if !self.apart.is_empty() {
            converter.conversion.notes.push(Note {
                code: Code::ConverterLost,
                table: "all tables".to_owned(),
                item: None,
                what: LOST.to_owned(),
            });
        }
        for (number, mut apart) in std::mem::take(&mut self.apart).into_iter().enumerate() {
            let renamed = apart.name_keys();
            let mut mapped = converter.map(&apart.definition, &GivenRows::whole(), facts)?;
            let table = &mapped.table;
            if table.columns != converter.tables[number].table.columns {
                let what = format!("the keys of {} change the types of its columns", table.name);
                return Err(Error::failed(what));
            }
            let conversion = &mut converter.conversion;
            conversion.notes.extend(apart.notes(&mapped));
            conversion.notes.extend(renamed);
            conversion.notes.append(&mut mapped.notes);
            conversion.sink.complete(number, &mapped.table)?;
            converter.tables[number] = mapped;
        }
        Ok(())
    }
}

impl<S: Sink> Consumer for ConvertedConverter<S> {
    fn table(&mut self, definition: TableDefinition, facts: &Facts) -> Result<()> {
        self.converter.table(definition, facts)
    }

    fn altered(&mut self, definition: &TableDefinition, facts: &Facts) -> Result<()> {
        self.converter.altered(definition, facts)
    }

    fn rows(&mut self, chunk: RowChunk) -> Result<()> {
        self.converter.rows(chunk)
    }

    fn converted(&mut self, part: Part, facts: &Facts) -> Result<()> {
        self.take_part(part, facts)
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.converter.spare()
    }
}

impl Apart {
    /// Refuses a cast to boolean of any column but a `tinyint(1)`: the converter casts no other.
    fn check_boolean(&self, column: &str) -> Result<()> {
        let mut columns = self.definition.columns.iter();
        if columns.any(|known| known.name == column && is_boolean(known)) {
            return Ok(());
        }
        let table = &self.definition.name;
        Err(Error::failed(format!(
            "the dump makes {table}.{column} a boolean, but it was not one in MySQL"
        )))
    }

    /// Names the keys without a name, as PostgreSQL would. The converter adds an index over the columns of
    /// each foreign key, although MySQL's own index is there; that index is left out.
    fn name_keys(&mut self) -> Vec<Note> {
        let table = self.definition.name.clone();
        let note = |code: Code, item: &str, what: &str| Note {
            code,
            table: table.clone(),
            item: Some(item.to_owned()),
            what: what.to_owned(),
        };
        let (keys, unnamed): (Vec<_>, Vec<_>) = std::mem::take(&mut self.definition.keys)
            .into_iter()
            .partition(|key| key.name.is_some() || key.kind == KeyKind::Primary);
        self.definition.keys = keys;
        let mut notes = Vec::new();
        for mut key in unnamed {
            let name = format!("{table}_{}_idx", columns_of(&key).join("_"));
            let is_needless = key.kind == KeyKind::Plain
                && self
                    .definition
                    .keys
                    .iter()
                    .any(|other| begins_with(other, &key.parts));
            if is_needless {
                notes.push(note(
                    Code::IndexLeftOut,
                    &name,
                    "the index was left out: the converter had added it",
                ));
                continue;
            }
            notes.push(note(
                Code::Renamed,
                &name,
                "the converter lost the name of this index",
            ));
            key.name = Some(name);
            self.definition.keys.push(key);
        }
        notes
    }

    /// Notes about what was repaired.
    fn notes(&self, mapped: &Mapped<Table>) -> Vec<Note> {
        let table = &mapped.table;
        let note = |item: Option<&str>, what: String| Note {
            code: Code::ConverterRepaired,
            table: table.name.clone(),
            item: item.map(str::to_owned),
            what,
        };
        let mut notes = Vec::new();
        let mut damages: BTreeMap<Damage, Vec<&str>> = BTreeMap::new();
        for (damage, column) in &self.damages {
            damages.entry(*damage).or_default().push(column);
        }
        for (damage, columns) in damages {
            notes.push(note(None, format!("{damage}: {}", columns.join(", "))));
        }
        let lost = self.definition.columns.iter().filter(|column| {
            let has_default = !matches!(column.default, None | Some(DefaultValue::Null));
            is_boolean(column) && has_default && !self.with_default.contains(&column.name)
        });
        let lost: Vec<&str> = lost.map(|column| column.name.as_str()).collect();
        if !lost.is_empty() {
            let what = format!(
                "restored defaults that the converter lost: {}",
                lost.join(", ")
            );
            notes.push(note(None, what));
        }
        match (&table.sequence, &self.counted) {
            (Some(sequence), Some(_)) => {
                let what = "no column owned the converter's sequence; now the column owns it";
                notes.push(note(Some(&sequence.column), what.to_owned()));
            }
            (None, Some(column)) => {
                let what = "the converter's sequence was left out: the column is not a primary key";
                notes.push(note(Some(column), what.to_owned()));
            }
            (_, None) => {}
        }
        for key in &table.foreign_keys {
            let what = "the converter deferred the foreign key; now it is checked immediately";
            notes.push(note(Some(&key.name), what.to_owned()));
        }
        notes
    }
}

fn is_boolean(column: &ColumnDefinition) -> bool {
    let data_type = &column.data_type;
    data_type.name == "tinyint" && data_type.numbers == [1]
}

fn columns_of(key: &KeyDefinition) -> Vec<&str> {
    let columns = key.parts.iter().filter_map(|part| match &part.of {
        KeyPartOf::Column(name) => Some(name.as_str()),
        KeyPartOf::Expression(_) => None,
    });
    columns.collect()
}

/// Whether `key` can replace an index over `parts`.
fn begins_with(key: &KeyDefinition, parts: &[KeyPart]) -> bool {
    key.kind != KeyKind::Fulltext && key.parts.starts_with(parts)
}
