//! The columns of a table of a PostgreSQL dump, without their defaults.

use crate::dump::postgresql::definition::TableDefinition;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::rows::Normal;
use crate::schema::policies::{GeneratedSupport, Policies};
use crate::schema::{Column, DataType, Generated, Note, from_postgresql};

/// A column whose type is not supported.
#[derive(Debug, Clone)]
pub(super) struct Unsupported {
    table: String,
    column: String,
    data_type: String,
}

/// So many columns are named in an error.
const MAX_NAMED: usize = 50;

/// The error about all columns whose types are not supported, so that the user can leave out all of them at once.
pub(super) fn check_types(unsupported: &[Unsupported]) -> Result<()> {
    let what = match unsupported {
        [] => return Ok(()),
        [one] => one.what(),
        all => {
            let named: Vec<String> = all
                .iter()
                .take(MAX_NAMED)
                .map(|one| format!("{}.{}: {}", one.table, one.column, one.data_type))
                .collect();
            let rest = match all.len() - named.len() {
                0 => String::new(),
                count => format!(", and {count} more"),
            };
            format!(
                "{} columns have types that are not supported: {}{rest}",
                all.len(),
                named.join(", ")
            )
        }
    };
    let mut tables: Vec<&str> = unsupported.iter().map(|one| one.table.as_str()).collect();
    tables.dedup();
    let options: Vec<String> = tables
        .iter()
        .map(|table| format!("--skip-table {table}"))
        .collect();
    let them = if tables.len() == 1 {
        "the table"
    } else {
        "the tables"
    };
    Err(Error::failed(what).hint(format!("{} leaves {them} out", options.join(" "))))
}

impl Unsupported {
    fn what(&self) -> String {
        let Unsupported {
            table,
            column,
            data_type,
        } = self;
        format!("column {table}.{column}: the type {data_type} is not supported")
    }
}

/// The columns of the table `definition`, and notes of those that cannot be taken, if they are no error because the
/// dump is only inspected; otherwise, those with an unsupported type are added to `unsupported`, and count as text.
/// `is_enum` returns whether the dump has an enum type with that name.
pub(super) fn columns(
    definition: &TableDefinition,
    is_enum: impl Fn(&str) -> bool,
    policies: &Policies,
    unsupported: &mut Vec<Unsupported>,
) -> Result<(Vec<Column>, Vec<Note>)> {
    let name = &definition.name;
    let mut columns = Vec::new();
    let mut notes = Vec::new();
    let note = |column: &str, what: String| Note {
        code: Code::ColumnLeftOut,
        table: name.clone(),
        item: Some(column.to_owned()),
        what,
    };
    for column in &definition.columns {
        match from_postgresql::column(column, &is_enum) {
            Ok(column) => columns.push(column),
            Err(data_type) => {
                let one = Unsupported {
                    table: name.clone(),
                    column: column.name.clone(),
                    data_type,
                };
                if policies.skip_unsupported {
                    notes.push(note(&column.name, one.what()));
                } else {
                    unsupported.push(one);
                }
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
            Err(error) if policies.skip_unsupported => {
                notes.push(note(&column.name, error.to_string()));
            }
            // It may use a column whose type is not supported.
            Err(_) if !unsupported.is_empty() => {}
            Err(error) => return Err(error),
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
