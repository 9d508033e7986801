//! Creates tables in the staging schema. If the server refuses a definition, the refused part is found. A
//! refused default is left out and reported. A refused expression of a generated column is an error, because
//! without it the column would be another one.

use postgres::{Client, GenericClient};

use super::style::Staged;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::schema::ddl;
use crate::schema::{Column, DataType, Note, Table, as_loaded};
use crate::server::postgresql::error::{failure, is_refusal};
use crate::server::postgresql::statement::one_statement;

/// A table that was created.
pub(crate) struct Created {
    /// The table without the defaults that the server refuses.
    pub(crate) table: Table,
    /// The differences.
    pub(crate) notes: Vec<Note>,
}

/// Creates `table` as it is while its rows are loaded.
pub(crate) fn table(client: &mut Client, table: &Table) -> Result<Created> {
    let created = as_accepted(client, table)?;
    check_types(client, table)?;
    Ok(created)
}

/// An error if a type of an extension is not the extension's own: whoever owns its schema could have put another type with
/// code of theirs in its place.
fn check_types(client: &mut Client, table: &Table) -> Result<()> {
    let of_extension = |column: &Column| match column.data_type {
        DataType::Geometry(_) => Some(("postgis", "geometry", "PostGIS")),
        DataType::Vector(_) => Some(("vector", "vector", "pgvector")),
        _ => None,
    };
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_attribute a
               JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_type t ON t.oid = a.atttypid
               JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                               AND d.refclassid = 'pg_extension'::regclass
               JOIN pg_extension e ON e.oid = d.refobjid
               WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0
                 AND e.extname = $4 AND t.typtype = 'b')";
    let staged = Staged::of(table);
    let schema = staged.schema();
    for column in &table.columns {
        let Some((extension, data_type, program)) = of_extension(column) else {
            continue;
        };
        let row = client
            .query_one(sql, &[&schema, &table.name, &column.name, &extension])
            .map_err(failure(format!("look at the types of {}", table.name)))?;
        if !row.get::<_, bool>(0) {
            return Err(Error::target(format!(
                "table {}: the type {data_type} is not the one of {program}",
                table.name
            ))
            .hint("somebody has changed the extension since the import began"));
        }
    }
    Ok(())
}

/// Creates `table`, without what the server refuses.
fn as_accepted(client: &mut Client, table: &Table) -> Result<Created> {
    let mut created = Created {
        table: table.clone(),
        notes: Vec::new(),
    };
    let table = &as_loaded(table);
    let doing = || failure(format!("create the table {}", table.name));
    let Err(cause) = create(client, table) else {
        return Ok(created);
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
    for Column { name, default, .. } in &table.columns {
        let Some(default) = default else { continue };
        match one_statement(
            client,
            &ddl::set_default(Staged::of(table).style(), &table.name, name, default),
        ) {
            Err(cause) if is_refusal(&cause) => {
                let why = failure("set this default")(cause);
                let mut columns = created.table.columns.iter_mut();
                if let Some(column) = columns.find(|column| column.name == *name) {
                    column.default = None;
                }
                created.notes.push(Note {
                    code: Code::DefaultLeftOut,
                    table: table.shown(),
                    item: Some(name.clone()),
                    what: format!("the default {default} was left out: the server {why}"),
                });
            }
            done => done.map_err(doing())?,
        }
    }
    Ok(created)
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
    let staged = Staged::of(table);
    let statements = ddl::create_table(staged.style(), table);
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
        let Some(generated) = &column.generated else {
            continue;
        };
        alone.columns[at].generated = Some(generated.clone());
        if let Err(cause) = try_out(&alone) {
            let (table, column) = (&table.name, &column.name);
            let error = failure(format!(
                "use {} as the expression of {table}.{column}",
                generated.expression
            ))(cause);
            return Some(error.hint(format!("--skip-column {table}.{column} leaves it out")));
        }
        alone.columns[at].generated = None;
    }
    None
}
