//! The builds in MySQL whose rows have no trace.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::Result;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::{literal, qualified};
use crate::traces::BuildWithout;

/// The month, the project and the number of a build, and whether it has run.
type Build = (Option<String>, Option<i64>, i64, bool);

/// Hands the builds in `database` whose rows have no trace to `take`. False if the tables are not CI's: then nothing was
/// read.
pub fn builds_without_trace(
    connection: &mut Conn,
    database: &str,
    take: &mut dyn FnMut(BuildWithout) -> Result<()>,
) -> Result<bool> {
    let doing = || failure("look for builds without a trace");
    // Only tables: a view can be anything.
    let known = format!(
        "SELECT COUNT(*) FROM information_schema.COLUMNS c
         JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
         WHERE c.TABLE_SCHEMA = {} AND t.TABLE_TYPE = 'BASE TABLE'
           AND (c.TABLE_NAME = 'ci_builds' AND c.COLUMN_NAME IN ('id', 'project_id', 'commit_id') AND c.DATA_TYPE = 'int'
             OR c.TABLE_NAME = 'ci_builds' AND c.COLUMN_NAME = 'trace' AND c.DATA_TYPE LIKE '%text'
             OR c.TABLE_NAME = 'ci_builds' AND c.COLUMN_NAME IN ('created_at', 'started_at')
                AND c.DATA_TYPE IN ('datetime', 'timestamp')
             OR c.TABLE_NAME = 'ci_commits' AND c.COLUMN_NAME IN ('id', 'project_id') AND c.DATA_TYPE = 'int')",
        literal(database)
    );
    let found: Option<u64> = connection.query_first(known).map_err(doing())?;
    if found != Some(8) {
        return Ok(false);
    }
    let sql = format!(
        "SELECT DATE_FORMAT(b.created_at, '%Y_%m'), COALESCE(c.project_id, b.project_id), b.id, b.started_at IS NOT NULL
         FROM {} b LEFT JOIN {} c ON c.id = b.commit_id WHERE b.trace IS NULL OR LENGTH(b.trace) = 0",
        qualified(database, "ci_builds"),
        qualified(database, "ci_commits")
    );
    for row in connection.query_iter(sql).map_err(doing())? {
        let row = row.map_err(doing())?;
        let (month, project, id, has_run): Build = mysql::from_row(row);
        take(BuildWithout {
            month,
            project,
            id,
            has_run,
        })?;
    }
    Ok(true)
}
