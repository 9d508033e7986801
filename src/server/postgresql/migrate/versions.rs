//! The table of versions in PostgreSQL.

use postgres::{GenericClient, Transaction};

use crate::error::Result;
use crate::migrate::Version;
pub(crate) use crate::migrate::version_table::TABLE;
use crate::migrate::version_table::{delete, insert, is_another_table};
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;

/// Whether `schema` has the table. Another relation of its name is an error.
pub(crate) fn exists(client: &mut impl GenericClient, schema: &str) -> Result<bool> {
    let sql = "SELECT c.relkind IN ('r', 'p') AND EXISTS (
                 SELECT 1 FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attname = 'version' AND NOT a.attisdropped
                   AND a.atttypid IN ('pg_catalog.varchar'::pg_catalog.regtype,
                                      'pg_catalog.text'::pg_catalog.regtype))
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = $2";
    let found = client
        .query_opt(sql, &[&schema, &TABLE])
        .map_err(failure("look for the table of migrations"))?;
    match found.map(|row| row.get(0)) {
        None => Ok(false),
        Some(true) => Ok(true),
        Some(false) => Err(is_another_table(schema)
            .hint("is it another program's? rename it, or migrate another schema, by --schema")),
    }
}

/// Creates the table, as Rails does.
pub(super) fn create(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    let table = qualified(schema, TABLE);
    let sql = format!(
        "CREATE TABLE {table} (version character varying NOT NULL);
         CREATE UNIQUE INDEX unique_schema_migrations ON {table} USING btree (version)"
    );
    transaction
        .batch_execute(&sql)
        .map_err(failure(format!("make the table {table}")))
}

/// All versions in the table, in any notation, including those of other programs.
pub(crate) fn read(client: &mut impl GenericClient, schema: &str) -> Result<Vec<String>> {
    if !exists(client, schema)? {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT version::text FROM {}", qualified(schema, TABLE));
    let rows = client
        .query(&sql, &[])
        .map_err(failure("read the table of migrations"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The statement that records a version, if it is missing.
pub(crate) fn record(schema: &str, version: Version) -> String {
    insert(&qualified(schema, TABLE), version, "ON CONFLICT DO NOTHING")
}

/// The statement that deletes the record of a version.
pub(super) fn forget(schema: &str, version: Version) -> String {
    delete(&qualified(schema, TABLE), version)
}
