//! The table of the versions that were run, as Rails makes and reads it: texts, nothing else. Rails
//! takes no notice of versions it has no file for, and neither do we.

use postgres::{GenericClient, Transaction};

use crate::error::{Error, Result};
use crate::migrate::Version;
use crate::schema::sql::{literal, qualified};
use crate::server::postgresql::error::failure;

/// Its name.
pub(crate) const TABLE: &str = "schema_migrations";

/// Whether `schema` has the table. An error if a relation of that name is none.
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
        Some(false) => Err(Error::target(format!(
            "{schema}.{TABLE} is not the table of migrations that Rails makes: it has no column version of texts"
        ))
        .hint("is it another program's? rename it, or migrate another schema, by --schema")),
    }
}

/// Makes the table, as Rails does.
pub(super) fn make(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    let table = qualified(schema, TABLE);
    let sql = format!(
        "CREATE TABLE {table} (version character varying NOT NULL);
         CREATE UNIQUE INDEX unique_schema_migrations ON {table} USING btree (version)"
    );
    transaction
        .batch_execute(&sql)
        .map_err(failure(format!("make the table {table}")))
}

/// All versions in the table, also those of others, in any notation.
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

/// The statement that puts a version into the table, where it is missing: an import may have put it
/// there meanwhile.
pub(crate) fn record(schema: &str, version: Version) -> String {
    let (table, version) = (qualified(schema, TABLE), literal(&version.to_string()));
    format!("INSERT INTO {table} (version) VALUES ({version}) ON CONFLICT DO NOTHING")
}

/// The statement that takes a version out of the table.
pub(crate) fn forget(schema: &str, version: Version) -> String {
    let (table, version) = (qualified(schema, TABLE), literal(&version.to_string()));
    format!("DELETE FROM {table} WHERE version = {version}")
}
