//! The builds in PostgreSQL whose rows have no trace.

use postgres::GenericClient;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;

use crate::error::Result;
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;
use crate::traces::BuildWithout;

/// Hands the builds in `schema` whose rows have no trace to `take`. False if the tables are not CI's: then nothing was
/// read.
pub fn builds_without_trace(
    client: &mut impl GenericClient,
    schema: &str,
    take: &mut dyn FnMut(BuildWithout) -> Result<()>,
) -> Result<bool> {
    let doing = || failure("look for builds without a trace");
    // Only tables, and the server's own types, so that the query runs no code of others.
    let known = "SELECT count(*) FROM pg_attribute a
                 JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
                   AND (c.relname::text, a.attname::text, a.atttypid::regtype::text) IN (
                     ('ci_builds', 'id', 'integer'), ('ci_builds', 'project_id', 'integer'),
                     ('ci_builds', 'commit_id', 'integer'), ('ci_builds', 'trace', 'text'),
                     ('ci_builds', 'created_at', 'timestamp without time zone'),
                     ('ci_builds', 'started_at', 'timestamp without time zone'),
                     ('ci_commits', 'id', 'integer'), ('ci_commits', 'project_id', 'integer'))";
    let row = client.query_one(known, &[&schema]).map_err(doing())?;
    if row.get::<_, i64>(0) != 8 {
        return Ok(false);
    }
    let sql = format!(
        "SELECT to_char(b.created_at, 'YYYY_MM'), COALESCE(c.project_id, b.project_id)::bigint, b.id::bigint,
                b.started_at IS NOT NULL
         FROM {} b LEFT JOIN {} c ON c.id = b.commit_id WHERE b.trace IS NULL OR b.trace = ''",
        qualified(schema, "ci_builds"),
        qualified(schema, "ci_commits")
    );
    let mut rows = client
        .query_raw(&sql, std::iter::empty::<&dyn ToSql>())
        .map_err(doing())?;
    while let Some(row) = rows.next().map_err(doing())? {
        take(BuildWithout {
            month: row.get(0),
            project: row.get(1),
            id: row.get(2),
            has_run: row.get(3),
        })?;
    }
    Ok(true)
}
