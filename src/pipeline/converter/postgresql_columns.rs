//! The columns of a table of a PostgreSQL dump, without their defaults.

use crate::dump::postgresql::definition::TableDefinition;
use crate::error::{Error, Result};
use crate::rows::Normal;
use crate::schema::policies::{GeneratedSupport, Policies};
use crate::schema::{Column, DataType, Generated, Note, from_postgresql};

/// The columns of the table `definition`, and notes of unsupported ones, if those are no error because the
/// dump is only inspected. `is_enum` returns whether the dump has an enum type with that name.
pub(super) fn columns(
    definition: &TableDefinition,
    is_enum: impl Fn(&str) -> bool,
    policies: &Policies,
) -> Result<(Vec<Column>, Vec<Note>)> {
    let name = &definition.name;
    let mut columns = Vec::new();
    let mut notes = Vec::new();
    let mut note_or_fail = |column: &str, error: Error| {
        if !policies.skip_unsupported {
            return Err(error);
        }
        notes.push(Note {
            table: name.clone(),
            item: Some(column.to_owned()),
            what: error.to_string(),
        });
        Ok(())
    };
    for column in &definition.columns {
        match from_postgresql::column(name, column, &is_enum) {
            Ok(column) => columns.push(column),
            Err(error) => {
                note_or_fail(&column.name, error)?;
                // The rows are not loaded.
                columns.push(Column::new(&column.name, DataType::Text));
            }
        }
    }
    for (at, column) in definition.columns.iter().enumerate() {
        let Some(generated) = &column.generated else {
            continue;
        };
        match from_postgresql::generated(name, &columns, at, generated) {
            Ok(_) if policies.generated_support == GeneratedSupport::None => {
                return Err(without_values(name, &column.name));
            }
            Ok(expression) => columns[at].generated = Some(Generated::of(expression)),
            Err(error) => note_or_fail(&column.name, error)?,
        }
    }
    Ok((columns, notes))
}

/// The error for a generated column that the server would have to compute, and cannot.
fn without_values(table: &str, column: &str) -> Error {
    Error::failed(format!(
        "column {table}.{column}: this server has no generated columns, and the dump has no values for it"
    ))
    .hint("import into PostgreSQL 12 or later; --skip-table leaves the table out")
}

/// How a value is normalised for the comparison, as text.
pub(super) fn normal(data_type: &DataType) -> Normal {
    match data_type {
        DataType::Char(_) => Normal::WithoutBlanks,
        DataType::Smallint | DataType::Integer | DataType::Bigint | DataType::Numeric(..) => {
            Normal::Number
        }
        DataType::DoublePrecision => Normal::Double,
        DataType::Plain("real") => Normal::Real,
        DataType::Boolean => Normal::TruthText,
        DataType::Bytea => Normal::Bytea,
        DataType::Timestamp(_) | DataType::Time(_) | DataType::Interval(_) => Normal::Moment,
        DataType::Timestamptz(_) => Normal::Instant,
        DataType::Jsonb => Normal::JsonbText,
        _ => Normal::AsIs,
    }
}
