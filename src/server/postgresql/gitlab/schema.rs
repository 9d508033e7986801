//! Finds the schema of a GitLab.

use postgres::Client;

use crate::error::{Error, Result};
use crate::gitlab::live::SETTINGS;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::load::STAGING_SCHEMA;
use crate::server::postgresql::publish::PREVIOUS_SCHEMA;

/// The schema with the settings of a GitLab, if there is any; an error if there are several. Tables of CI alone do not count:
/// somebody may have imported a dump of them elsewhere.
pub fn schema(client: &mut Client) -> Result<Option<String>> {
    let sql = "SELECT DISTINCT n.nspname::text FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p') AND c.relname = $1 AND n.nspname <> ALL($2)
                 AND n.nspname !~ '^(pg_|ci_import_(staging|previous)[.])' ORDER BY 1";
    let ours: &[&str] = &[STAGING_SCHEMA, PREVIOUS_SCHEMA];
    let rows = client
        .query(sql, &[&SETTINGS, &ours])
        .map_err(failure("look for the schema of GitLab"))?;
    let mut found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if found.len() > 1 {
        return Err(Error::target(format!(
            "several schemas have a GitLab: {}",
            found.join(", ")
        ))
        .hint("name the one of your GitLab: --schema"));
    }
    Ok(found.pop())
}
