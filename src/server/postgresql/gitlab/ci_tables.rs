//! What built-in migrations ask about the tables of CI and GitLab, in PostgreSQL.

use postgres::Transaction;

use super::columns::has_column;
use super::tags::missing_taggings;
use crate::error::Result;
use crate::gitlab::migrations::database::CiDatabase;
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;

/// The tables in a schema.
pub(super) struct CiTables<'a, 'b> {
    pub(super) transaction: &'a mut Transaction<'b>,
    pub(super) schema: &'a str,
}

impl CiDatabase for CiTables<'_, '_> {
    const UNPREFIXED: &'static str = "type NOT LIKE 'Ci::%'";
    const PREFIXED: &'static str = "'Ci::' || type";

    fn schema(&self) -> &str {
        self.schema
    }

    fn qualified(&self, table: &str) -> String {
        qualified(self.schema, table)
    }

    fn existing(&mut self, tables: &[&str]) -> Result<Vec<String>> {
        existing(self.transaction, self.schema, tables)
    }

    fn has_column(&mut self, table: &str, column: &str) -> Result<bool> {
        has_column(self.transaction, self.schema, table, column)
    }

    fn count(&mut self, from: &str) -> Result<i64> {
        let sql = format!("SELECT count(*) FROM {from}");
        let row = self
            .transaction
            .query_one(&sql, &[])
            .map_err(failure("look at the tables of CI"))?;
        Ok(row.get(0))
    }

    fn missing_tags(&mut self) -> Result<i64> {
        let (tags, ci_tags) = (self.qualified("tags"), self.qualified("ci_tags"));
        self.count(&format!(
            "{ci_tags} ci
             WHERE ci.name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {tags} t WHERE t.name = ci.name)"
        ))
    }

    fn missing_taggings(&mut self) -> Result<Option<i64>> {
        missing_taggings(self.transaction, self.schema)
    }
}

/// Those of `tables` that are tables of `schema`.
fn existing(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<String>> {
    let sql = "SELECT c.relname::text FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind IN ('r', 'p') ORDER BY 1";
    let rows = transaction
        .query(sql, &[&schema, &tables])
        .map_err(failure("look for the tables of CI"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The statement that locks those of `tables` that exist, so that nobody else changes them.
pub(super) fn lock_existing(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<String>> {
    let existing = existing(transaction, schema, tables)?;
    if existing.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = existing
        .iter()
        .map(|name| qualified(schema, name))
        .collect();
    let list = names.join(", ");
    Ok(vec![format!("LOCK TABLE {list} IN ACCESS EXCLUSIVE MODE")])
}
