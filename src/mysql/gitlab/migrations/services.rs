//! Services of CI live in a module of their own in GitLab, and so do their class names.

use mysql::Conn;

use super::count;
use crate::error::Result;
use crate::gitlab::migrations::known::prefixed;
use crate::migrate::Plan;
use crate::mysql::publish::catalog::has_column;
use crate::mysql::sql::qualified;

/// Which types lack their prefix, whatever their collation.
const WHICH: &str = "NOT CONVERT(type USING utf8mb4) COLLATE utf8mb4_bin LIKE 'Ci::%'";

/// The statement that prefixes them, if `database` has any services.
pub(in crate::mysql::gitlab) fn prefix(conn: &mut Conn, database: &str) -> Result<Option<String>> {
    if !has_column(conn, database, "ci_services", "type")? {
        return Ok(None);
    }
    let table = qualified(database, "ci_services");
    Ok(Some(format!(
        "UPDATE {table} SET type = CONCAT('Ci::', type) WHERE {WHICH}"
    )))
}

/// Gives their types the prefix.
pub(super) fn plan(conn: &mut Conn, database: &str) -> Result<Plan> {
    let (mut statements, mut lacking) = (Vec::new(), 0);
    if let Some(statement) = prefix(conn, database)? {
        let table = qualified(database, "ci_services");
        lacking = count(conn, &format!("SELECT COUNT(*) FROM {table} WHERE {WHICH}"))?;
        if lacking > 0 {
            statements.push(statement);
        }
    }
    Ok(Plan::Run {
        statements,
        told: prefixed(lacking),
    })
}
