//! Makes tables in the staging schema. Of a table that the server refuses, what it refuses is found: a default
//! is left out, and told; without what a column is generated as it would be another column, so that is an
//! error.

use postgres::{Client, GenericClient};

use super::style::STYLE;
use crate::error::{Error, Result};
use crate::schema::ddl;
use crate::schema::{Column, Note, Table};
use crate::server::postgresql::error::{failure, is_refusal};
use crate::server::postgresql::statement::one_statement;

/// Makes `table`: returns what came out differently.
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

/// Makes `table`, or nothing of it.
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

/// What to tell of the first column of `table` that the server will not have generated; none if it is
/// something else that it refuses.
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
