//! Which columns the target has.

use postgres::Transaction;

use crate::error::Result;
use crate::server::postgresql::error::failure;

/// Whether the table `table` of `schema` has the column `column`.
pub(super) fn has_column(
    transaction: &mut Transaction<'_>,
    schema: &str,
    table: &str,
    column: &str,
) -> Result<bool> {
    let sql = "SELECT EXISTS (
                 SELECT 1 FROM pg_attribute a
                 JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3
                   AND NOT a.attisdropped AND c.relkind IN ('r', 'p'))";
    let row = transaction
        .query_one(sql, &[&schema, &table, &column])
        .map_err(failure("look for the tables of GitLab"))?;
    Ok(row.get(0))
}
