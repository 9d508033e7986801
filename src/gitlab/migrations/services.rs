//! GitLab keeps the services of CI in a module of their own, so their class names have a prefix.

use super::database::CiDatabase;
use crate::error::Result;
use crate::migrate::MigrationPlan;

/// The statement that prefixes the types of services, and how many lack the prefix; none if none does.
/// Without a statement nothing is written: a table without transactions must not be written to in a
/// transaction.
pub fn prefix<D: CiDatabase>(database: &mut D) -> Result<Option<(String, i64)>> {
    if !database.has_column("ci_services", "type")? {
        return Ok(None);
    }
    let table = database.qualified("ci_services");
    let unprefixed = format!("{table} WHERE {}", D::UNPREFIXED);
    let lacking = database.count(&unprefixed)?;
    let (value, condition) = (D::PREFIXED, D::UNPREFIXED);
    let statement = format!("UPDATE {table} SET type = {value} WHERE {condition}");
    Ok((lacking > 0).then_some((statement, lacking)))
}

/// Prefixes the types of services.
pub fn plan(database: &mut impl CiDatabase) -> Result<MigrationPlan> {
    let (statement, lacking) = prefix(database)?.unzip();
    let services = lacking.unwrap_or(0);
    Ok(MigrationPlan::Run {
        statements: statement.into_iter().collect(),
        told: format!("prefixed the type of {services} services with Ci::"),
    })
}
