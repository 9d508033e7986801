//! Creates tables in the staging database. If the server refuses a definition, the refused part is found. A
//! refused default is left out and reported. A refused expression of a generated column is an error, because
//! without it the column would be another one.

use mysql::Conn;

use crate::dump::mysql::definition::{ColumnDefinition, DefaultValue, TableDefinition};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::schema::Note;
use crate::server::mysql::ddl;
use crate::server::mysql::error::{failure, is_refusal, why_not_defined};
use crate::server::mysql::mapping::Table;
use crate::server::mysql::sql::qualified;
use crate::server::mysql::statement::one_statement;

/// Creates `table` in `database`. Returns the table as created, and the differences.
pub(crate) fn table(
    connection: &mut Conn,
    database: &str,
    table: &Table,
) -> Result<(Table, Vec<Note>)> {
    let definition = &table.definition;
    let Err(cause) = create(connection, database, definition) else {
        return Ok((table.clone(), Vec::new()));
    };
    if !is_refusal(&cause) {
        return Err(failure(format!("create the table {}", definition.name))(
            cause,
        ));
    }
    let (definition, notes) = without_refused(connection, database, definition, cause)?;
    let table = Table {
        definition,
        ..table.clone()
    };
    Ok((table, notes))
}

fn create(
    connection: &mut Conn,
    database: &str,
    definition: &TableDefinition,
) -> std::result::Result<(), mysql::Error> {
    one_statement(connection, &ddl::create_table(database, definition))
}

/// Creates the table without the defaults that the server refuses; `cause` is the first refusal. The first
/// attempt has no defaults; each further attempt adds one.
fn without_refused(
    connection: &mut Conn,
    database: &str,
    definition: &TableDefinition,
    cause: mysql::Error,
) -> Result<(TableDefinition, Vec<Note>)> {
    let name = &definition.name;
    let doing = || failure(format!("create the table {name}"));
    let mut made = definition.clone();
    for column in &mut made.columns {
        if may_be_refused(column) {
            column.default = None;
            column.generated = None;
        }
    }
    if create(connection, database, &made).is_err() {
        return Err(doing()(cause));
    }
    let mut notes = Vec::new();
    for (at, column) in definition.columns.iter().enumerate() {
        if !may_be_refused(column) {
            continue;
        }
        let drop = format!("DROP TABLE {}", qualified(database, name));
        one_statement(connection, &drop).map_err(doing())?;
        let without = std::mem::replace(&mut made.columns[at], column.clone());
        let Err(cause) = create(connection, database, &made) else {
            continue;
        };
        if !is_refusal(&cause) {
            return Err(doing()(cause));
        }
        if let Some(generated) = &column.generated {
            return Err(refused(name, &column.name, &generated.expression, &cause));
        }
        notes.push(Note {
            code: Code::DefaultLeftOut,
            table: name.clone(),
            item: Some(column.name.clone()),
            what: format!(
                "the default was left out: the server refuses it: {}",
                why_not_defined(&cause)
            ),
        });
        made.columns[at] = without;
        create(connection, database, &made).map_err(doing())?;
    }
    Ok((made, notes))
}

/// Whether `column` has a part that another server may have written and this one does not know.
fn may_be_refused(column: &ColumnDefinition) -> bool {
    let has_default = !matches!(column.default, None | Some(DefaultValue::Null));
    has_default || column.generated.is_some()
}

fn refused(table: &str, column: &str, expression: &str, cause: &mysql::Error) -> Error {
    Error::failed(format!(
        "column {table}.{column}: the server refuses the expression of this generated column, \
         {expression}: {}",
        why_not_defined(cause)
    ))
    .hint(format!("--skip-column {table}.{column} leaves it out"))
}
