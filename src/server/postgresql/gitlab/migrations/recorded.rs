//! The recorded versions of built-in migrations around publishes and rollbacks. They belong to the live tables:
//! a publish moves them aside with the tables, and a rollback brings them back.

use postgres::{GenericClient, Transaction};

use crate::error::Result;
use crate::gitlab::migrations::KnownMigration;
use crate::gitlab::migrations::list::{dropped, is_built_in};
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::migrate::versions;
use crate::server::postgresql::publish::PREVIOUS_SCHEMA;

/// Makes all of them pending for the tables that a publish brings. The versions that were recorded for the live
/// tables are kept.
pub fn renew(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    if versions::exists(transaction, schema)? {
        keep(transaction, schema, PREVIOUS_SCHEMA)?;
        forget(transaction, schema)?;
    }
    Ok(())
}

/// Brings back the versions that are kept in the schema `from`. Those of the live tables are kept in the schema
/// `to`.
pub fn exchange(
    transaction: &mut Transaction<'_>,
    schema: &str,
    from: &str,
    to: &str,
) -> Result<()> {
    if !versions::exists(transaction, from)? || !versions::exists(transaction, schema)? {
        return Ok(());
    }
    keep(transaction, schema, to)?;
    forget(transaction, schema)?;
    let (table, kept) = (
        qualified(schema, versions::TABLE),
        qualified(from, versions::TABLE),
    );
    run(
        transaction,
        &format!("INSERT INTO {table} (version) SELECT version FROM {kept}"),
    )
}

/// The tables that a recorded migration has dropped and that do not exist again.
pub fn dropped_tables(client: &mut impl GenericClient, schema: &str) -> Result<Vec<&'static str>> {
    let recorded = versions::read(client, schema)?;
    let all: Vec<&str> = KnownMigration::ALL
        .iter()
        .flat_map(|known| known.drops())
        .copied()
        .collect();
    let sql = "SELECT c.relname::text FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = ANY($2)";
    let rows = client
        .query(sql, &[&schema, &all])
        .map_err(failure("look for the tables of CI"))?;
    let there: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Ok(dropped(&recorded, |table| {
        there.iter().any(|name| name == table)
    }))
}

fn keep(transaction: &mut Transaction<'_>, schema: &str, to: &str) -> Result<()> {
    let (table, kept) = (
        qualified(schema, versions::TABLE),
        qualified(to, versions::TABLE),
    );
    let which = is_built_in();
    run(
        transaction,
        &format!("CREATE TABLE {kept} AS SELECT version FROM {table} WHERE {which}"),
    )
}

fn forget(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    let table = qualified(schema, versions::TABLE);
    run(
        transaction,
        &format!("DELETE FROM {table} WHERE {}", is_built_in()),
    )
}

fn run(transaction: &mut Transaction<'_>, sql: &str) -> Result<()> {
    transaction
        .batch_execute(sql)
        .map_err(failure("keep the record of built-in migrations"))
}
