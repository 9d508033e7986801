//! Services of CI live in a module of their own in GitLab, and so do their class names.

use mysql::Conn;

use super::count;
use crate::error::Result;
use crate::gitlab::known_migrations::prefixed;
use crate::migrate::MigrationPlan;
use crate::server::mysql::publish::catalog::has_column;
use crate::server::mysql::sql::qualified;

/// Which types lack their prefix, whatever their collation.
const WHICH: &str = "NOT CONVERT(type USING utf8mb4) COLLATE utf8mb4_bin LIKE 'Ci::%'";

/// The statement that prefixes them, and how many there are; none if there is nothing to prefix. So what has
/// nothing to do writes nothing: a table without transactions must not be written to in one.
pub(in crate::server::mysql::gitlab) fn prefix(
    conn: &mut Conn,
    database: &str,
) -> Result<Option<(String, i64)>> {
    if !has_column(conn, database, "ci_services", "type")? {
        return Ok(None);
    }
    let table = qualified(database, "ci_services");
    let lacking = count(conn, &format!("SELECT COUNT(*) FROM {table} WHERE {WHICH}"))?;
    let statement = format!("UPDATE {table} SET type = CONCAT('Ci::', type) WHERE {WHICH}");
    Ok((lacking > 0).then_some((statement, lacking)))
}

/// Gives their types the prefix.
pub(super) fn plan(conn: &mut Conn, database: &str) -> Result<MigrationPlan> {
    let (statements, lacking) = prefix(conn, database)?.unzip();
    Ok(MigrationPlan::Run {
        statements: statements.into_iter().collect(),
        told: prefixed(lacking.unwrap_or(0)),
    })
}
