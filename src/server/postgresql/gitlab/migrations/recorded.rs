//! The record of the built-in migrations around publishes and rollbacks. It is about the tables that are
//! live: it goes aside with them, and comes back with them.

use postgres::{GenericClient, Transaction};

use crate::error::Result;
use crate::gitlab::known_migrations::{self, KnownMigration};
use crate::schema::sql::{literal, qualified};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::migrate::versions;
use crate::server::postgresql::publish::PREVIOUS_SCHEMA;

/// Makes all of them pending, for the tables that a publish is about to bring. What was recorded for the
/// live ones is kept aside.
pub fn renew(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    if versions::exists(transaction, schema)? {
        keep(transaction, schema, PREVIOUS_SCHEMA)?;
        forget(transaction, schema)?;
    }
    Ok(())
}

/// Brings the record back that is kept in the schema `from`; that of the live tables is kept in the
/// schema `to`.
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

/// The tables that a recorded migration has dropped, and nobody has made again.
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
    Ok(known_migrations::dropped(&recorded, |table| {
        there.iter().any(|name| name == table)
    }))
}

fn keep(transaction: &mut Transaction<'_>, schema: &str, to: &str) -> Result<()> {
    let (table, kept) = (
        qualified(schema, versions::TABLE),
        qualified(to, versions::TABLE),
    );
    let which = which();
    run(
        transaction,
        &format!("CREATE TABLE {kept} AS SELECT version FROM {table} WHERE {which}"),
    )
}

fn forget(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    let table = qualified(schema, versions::TABLE);
    run(
        transaction,
        &format!("DELETE FROM {table} WHERE {}", which()),
    )
}

/// Which versions are those of built-in migrations.
fn which() -> String {
    let versions = known_migrations::versions();
    let versions: Vec<String> = versions.iter().map(|version| literal(version)).collect();
    format!("version IN ({})", versions.join(", "))
}

fn run(transaction: &mut Transaction<'_>, sql: &str) -> Result<()> {
    transaction
        .batch_execute(sql)
        .map_err(failure("keep the record of built-in migrations"))
}
