//! Maps a MySQL dump for PostgreSQL, through the neutral model.

use std::collections::{HashMap, HashSet};

use super::mapping::{Mapped, MappedAgain, MappedColumn, Mapping, changes_rows};
use crate::dump::charset::Charset;
use crate::dump::mysql::definition::TableDefinition;
use crate::dump::{Databases, Facts};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::rows::{
    Change, Normal, PlannedColumn, Storage, Tally, ValueKind, ValuePolicies, Widening,
};
use crate::schema::policies::{Policies, Timestamps};
use crate::schema::{
    Column, DataType, DumpFacts, GivenRows, Names, Note, Sequence, Table, from_mysql,
    is_reserved_schema,
};

/// The mapping for PostgreSQL.
#[derive(Default)]
pub struct PostgresqlMapping {
    /// The names in use in each schema.
    names: HashMap<Option<String>, Names>,
    /// The databases of the schemas.
    databases: HashMap<String, String>,
    /// Whether GitLab CI has converted the dump: then a NULL in a NOT NULL column was a zero date.
    is_converted: bool,
}

impl PostgresqlMapping {
    /// The mapping for a dump that GitLab CI has converted.
    #[must_use]
    pub fn of_converted() -> Self {
        PostgresqlMapping {
            is_converted: true,
            ..Self::default()
        }
    }

    /// Starts the names anew, so that the same tables get the same names again.
    pub(super) fn name_again(&mut self) {
        self.names.clear();
    }

    fn planned(
        &self,
        dump_name: &str,
        name: Option<&str>,
        (kind, policies): (ValueKind, ValuePolicies),
        columns: &HashMap<&str, &Column>,
    ) -> MappedColumn {
        let name = name.unwrap_or(dump_name);
        let column = columns.get(name).copied();
        MappedColumn {
            name: dump_name.to_owned(),
            normal: column.map_or(Normal::AsIs, normal),
            planned: PlannedColumn {
                name: name.to_owned(),
                kind,
                storage: column.map_or(Storage::Text, |column| storage(&column.data_type)),
                null_is_zero_date: self.is_converted
                    && column.is_some_and(|c| c.not_null_after_load),
                wider: column.and_then(|column| column.wider),
                unusual: 0,
                policies,
            },
        }
    }
}

impl Mapping for PostgresqlMapping {
    type Table = Table;

    fn forget(&mut self, table: &Table) {
        if let Some(names) = self.names.get_mut(&table.schema) {
            names.release_table(&table.name);
        }
    }

    fn map(
        &mut self,
        definition: &TableDefinition,
        given: &GivenRows,
        facts: &Facts,
        charset: Charset,
        policies: &Policies,
    ) -> Result<Mapped<Table>> {
        let known = DumpFacts {
            compatible: facts.compatible,
            charset,
            utc: facts.utc,
            axes_by_system: facts.server_version.as_deref().is_some_and(is_mysql_8),
            keys_follow: facts.keys_follow,
        };
        let (database, map) = (definition.database.as_deref(), &policies.map);
        let (schema, _) = map.place(database, &definition.name);
        let is_named = map.names_schema(database, &definition.name);
        if policies.databases == Databases::All && !is_named {
            database.map_or(Ok(()), check_schema)?;
        }
        if let (Some(schema), Some(database), false) = (&schema, &definition.database, is_named) {
            let of = self.databases.entry(schema.clone());
            let of = of.or_insert_with(|| database.clone());
            if of != database {
                let what =
                    format!("the databases {of} and {database} would both be the schema {schema}");
                return Err(Error::failed(what).hint("take one of them: --from-database NAME"));
            }
        }
        let names = self.names.entry(schema.clone()).or_default();
        let mapped = from_mysql(definition, known, given.clone(), policies, names)?;
        let mut table = mapped.table;
        table.schema = schema;
        let mut notes = mapped.notes;
        for note in &mut notes {
            note.table = table.shown();
        }
        let mut in_utc = definition.columns.iter().zip(&mapped.policies);
        let has_timestamps = in_utc.any(|(column, policies)| {
            column.data_type.name == "timestamp" && policies.timestamps == Timestamps::Utc
        });
        if has_timestamps && !facts.utc {
            notes.push(Note {
                code: Code::TimestampsZone,
                table: table.shown(),
                item: None,
                what: "timestamps are as in the dump, which does not say that they are in UTC"
                    .to_owned(),
            });
        }
        let known = table.columns.iter().map(|it| (it.name.as_str(), it));
        let known: HashMap<&str, &Column> = known.collect();
        let values = mapped.policies.iter().map(|policies| policies.values);
        let values = mapped.kinds.iter().copied().zip(values);
        let columns = mapped.names.iter().zip(values);
        let columns = columns.map(|((dump_name, name), values)| {
            self.planned(dump_name, name.as_deref(), values, &known)
        });
        let columns = columns.collect();
        Ok(Mapped {
            name: table.shown(),
            columns,
            generated: mapped.generated,
            duplicates: table.duplicates,
            has_unique_key: table.has_unique_key(),
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
        // The names are those that the table has got already.
        let names = std::mem::take(&mut self.names);
        let mapped = self.map(definition, &before.given, facts, charset, policies);
        self.names = names;
        let mut mapped = mapped?;
        mapped.duplicates = before.duplicates;
        let after = &mut mapped.table;
        let widenings = keep_types(&before.table, after)?;
        let kept = after.columns.iter();
        let kept = kept.filter(|it| it.data_type == DataType::Numeric(20, 0));
        let kept: HashSet<&str> = kept.map(|it| it.name.as_str()).collect();
        for (column, known) in mapped.columns.iter_mut().zip(&before.columns) {
            let is_bigint = column.planned.storage == Storage::Bigint;
            if is_bigint && kept.contains(column.planned.name.as_str()) {
                column.planned = known.planned.clone();
                let what = "numeric(20,0) instead of bigint: its key comes after the rows";
                mapped.notes.push(Note {
                    code: Code::OtherType,
                    table: after.shown(),
                    item: Some(column.planned.name.clone()),
                    what: what.to_owned(),
                });
            }
        }
        after.duplicates = before.table.duplicates;
        after.enum_types.clone_from(&before.table.enum_types);
        let renamed = &before.table.renamed_sequences;
        after.renamed_sequences.clone_from(renamed);
        match (&mut after.sequence, &before.table.sequence) {
            (Some(sequence), Some(known)) => {
                *sequence = Sequence {
                    next_at_least: sequence.next_at_least,
                    ..known.clone()
                };
            }
            (Some(sequence), None) => {
                let names = self.names.entry(after.schema.clone()).or_default();
                sequence.name = names.give_to_sequence(&sequence.name, &after.name);
            }
            (sequence @ None, known) => sequence.clone_from(known),
        }
        Ok(MappedAgain { mapped, widenings })
    }
}

/// An error if a schema cannot have the name of `database`: PostgreSQL keeps some names for itself, an import others.
fn check_schema(database: &str) -> Result<()> {
    if is_reserved_schema(database) {
        return Err(Error::usage(format!(
            "the database {database} cannot have a schema with its name: PostgreSQL or ci-import needs such names"
        ))
        .hint("--map FILE names another schema for it; or take the databases one by one, this one with --from-database and --schema"));
    }
    Ok(())
}

/// Checks that the columns of the table `before`, which may have rows, are those that it has `after`. Returns the columns
/// whose types must become wider.
fn keep_types(before: &Table, after: &mut Table) -> Result<Vec<Widening>> {
    let name = &before.name;
    if before.columns.len() != after.columns.len() {
        return Err(changes_rows(name, "its columns"));
    }
    let mut widenings = Vec::new();
    for (known, column) in before.columns.iter().zip(&mut after.columns) {
        if known.name != column.name {
            return Err(changes_rows(name, "its columns"));
        }
        column.generated.clone_from(&known.generated);
        if known.data_type == column.data_type {
            continue;
        }
        if let (DataType::Enum(_), DataType::Enum(_)) = (&known.data_type, &column.data_type) {
            column.data_type.clone_from(&known.data_type);
            continue;
        }
        let wider = known.wider.filter(|to| {
            let mut wider = known.clone();
            wider.widen(*to);
            wider.data_type == column.data_type
        });
        if let Some(to) = wider {
            widenings.push(Widening {
                column: column.name.clone(),
                to,
                row: 0,
            });
            continue;
        }
        // Nobody knows yet whether all values fit into the narrower type of a key.
        if let (DataType::Numeric(20, 0), DataType::Bigint) = (&known.data_type, &column.data_type)
        {
            column.data_type.clone_from(&known.data_type);
            column.wider = None;
            continue;
        }
        let (from, to) = (&known.data_type, &column.data_type);
        let what = format!("the type of {} from {from} to {to}", column.name);
        return Err(changes_rows(name, &what));
    }
    Ok(widenings)
}

/// Whether a server with this version is a MySQL 8.0 or later.
fn is_mysql_8(version: &str) -> bool {
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    // MariaDB's begin at 10, after its 5.5.
    major.is_some_and(|major: u32| (8..10).contains(&major)) && !version.contains("MariaDB")
}

fn storage(data_type: &DataType) -> Storage {
    match data_type {
        DataType::Boolean => Storage::Boolean,
        DataType::Smallint => Storage::Smallint,
        DataType::Integer => Storage::Integer,
        DataType::Bigint => Storage::Bigint,
        DataType::Numeric(..) => Storage::Numeric,
        DataType::DoublePrecision => Storage::Double,
        DataType::Varchar(_) | DataType::Char(_) | DataType::Text => Storage::Text,
        DataType::Enum(_) => Storage::Enum,
        DataType::Json => Storage::Json,
        DataType::Jsonb => Storage::Jsonb,
        DataType::Bytea => Storage::Bytea,
        DataType::Bit(_) => Storage::Bit,
        DataType::Date => Storage::Date,
        DataType::Timestamp(_) | DataType::Timestamptz(_) => Storage::Timestamp,
        DataType::Time(_) => Storage::Time,
        DataType::Interval(_) => Storage::Interval,
        DataType::Uuid => Storage::Uuid,
        DataType::Inet => Storage::Inet,
        DataType::Geometry(_) => Storage::Geometry,
        DataType::Vector(_) => Storage::Vector,
        // Of vectors, the only arrays.
        DataType::Array(_) => Storage::Reals,
        DataType::Plain("numeric") => Storage::Numeric,
        // Only a mapping file names others, for texts.
        DataType::Plain(_) => Storage::Text,
    }
}

/// How a value of `column` is normalised for the comparison, in binary notation.
fn normal(column: &Column) -> Normal {
    match &column.data_type {
        DataType::Boolean if column.wider.is_some() => Normal::Truth,
        DataType::Bigint if column.wider.is_some() => Normal::Whole,
        DataType::Char(_) => Normal::WithoutBlanks,
        DataType::Numeric(..) | DataType::Plain("numeric") => Normal::Numeric,
        DataType::Jsonb => Normal::Jsonb,
        _ => Normal::AsIs,
    }
}

/// The columns of `table` to set NOT NULL after the load, and notes of those that cannot be, because their
/// zero dates became NULL.
#[must_use]
pub fn not_null_after_load<'a>(table: &'a Table, tally: &Tally) -> (Vec<&'a str>, Vec<Note>) {
    let late = table
        .columns
        .iter()
        .filter(|column| column.not_null_after_load);
    let (nulls, not_null): (Vec<_>, Vec<_>) =
        late.partition(|column| tally.has_new_nulls(&column.name));
    let notes = nulls.into_iter().map(|column| {
        let why = if tally.has(&column.name, Change::ZeroDateToNull) {
            "zero dates"
        } else {
            "invalid dates"
        };
        Note {
            code: Code::NotNullLeftOut,
            table: table.shown(),
            item: Some(column.name.clone()),
            what: format!("NOT NULL left out, because of the {why}"),
        }
    });
    let not_null = not_null.into_iter().map(|column| column.name.as_str());
    (not_null.collect(), notes.collect())
}
