//! Creates tables in the staging schema. If the server refuses a definition, the refused part is found. A
//! refused default is left out and reported. A refused expression of a generated column is an error, because
//! without it the column would be another one.

use postgres::{Client, GenericClient};

use super::style::STYLE;
use crate::error::{Error, Result};
use crate::schema::ddl;
use crate::schema::{Column, Note, Table};
use crate::server::postgresql::error::{failure, is_refusal};
use crate::server::postgresql::statement::one_statement;

/// Creates `table`, and returns the differences.
pub(crate) fn table(client: &mut Client, table: &Table) -> Result<Vec<Note>> {
    let doing = || failure(format!("create the table {}", table.name));
    let Err(cause) = create(client, table) else {
        return Ok(Vec::new());
    };
    if !is_refusal(&cause) {
        return Err(doing()(cause));
    }
    let mut bare = table.clone();
    for column in &mut bare.columns {
        column.default = None;
    }
    if create(client, &bare).is_err() {
        let of_column = refused_column(client, &bare);
        return Err(of_column.unwrap_or_else(|| doing()(cause)));
    }
    let mut notes = Vec::new();
    for Column { name, default, .. } in &table.columns {
        let Some(default) = default else { continue };
        match one_statement(client, &ddl::set_default(STYLE, &table.name, name, default)) {
            Err(cause) if is_refusal(&cause) => {
                let why = failure("set this default")(cause);
                notes.push(Note {
                    table: table.name.clone(),
                    item: Some(name.clone()),
                    what: format!("the default {default} was left out: the server {why}"),
                });
            }
            done => done.map_err(doing())?,
        }
    }
    Ok(notes)
}

/// Creates `table` completely or not at all.
fn create(client: &mut Client, table: &Table) -> std::result::Result<(), postgres::Error> {
    let mut transaction = client.transaction()?;
    create_in(&mut transaction, table)?;
    transaction.commit()
}

fn create_in(
    client: &mut impl GenericClient,
    table: &Table,
) -> std::result::Result<(), postgres::Error> {
    let statements = ddl::create_table(STYLE, table);
    let mut statements = statements.iter();
    statements.try_for_each(|statement| one_statement(client, statement))
}

/// The error for the first generated column of `table` whose expression the server refuses; none if the
/// server refuses something else.
fn refused_column(client: &mut Client, table: &Table) -> Option<Error> {
    let mut alone = table.clone();
    for column in &mut alone.columns {
        column.generated = None;
    }
    let mut try_out = |table: &Table| {
        let mut transaction = client.transaction()?;
        create_in(&mut transaction, table)
    };
    try_out(&alone).ok()?;
    for (at, column) in table.columns.iter().enumerate() {
        let Some(expression) = &column.generated else {
            continue;
        };
        alone.columns[at].generated = Some(expression.clone());
        if let Err(cause) = try_out(&alone) {
            let (table, column) = (&table.name, &column.name);
            let error = failure(format!(
                "use {expression} as the expression of {table}.{column}"
            ))(cause);
            return Some(error.hint(format!("--skip-column {table}.{column} leaves it out")));
        }
        alone.columns[at].generated = None;
    }
    None
}
