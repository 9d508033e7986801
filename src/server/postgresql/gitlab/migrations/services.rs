//! Services of CI live in a module of their own in GitLab, and so do their class names.

use postgres::Transaction;

use super::count;
use crate::error::Result;
use crate::gitlab::known_migrations::prefixed;
use crate::migrate::MigrationPlan;
use crate::schema::sql::qualified;
use crate::server::postgresql::gitlab::columns::has_column;
use crate::server::postgresql::migrate::BuiltIn;

/// Gives their types the prefix.
pub(super) const PREFIX: BuiltIn = BuiltIn {
    // Only rows are changed.
    lock: |_, _| Ok(Vec::new()),
    plan,
};

fn plan(transaction: &mut Transaction<'_>, schema: &str) -> Result<MigrationPlan> {
    let (mut statements, mut lacking) = (Vec::new(), 0);
    if has_column(transaction, schema, "ci_services", "type")? {
        let table = qualified(schema, "ci_services");
        let which = "type NOT LIKE 'Ci::%'";
        lacking = count(
            transaction,
            &format!("SELECT count(*) FROM {table} WHERE {which}"),
        )?;
        if lacking > 0 {
            statements.push(format!(
                "UPDATE {table} SET type = 'Ci::' || type WHERE {which}"
            ));
        }
    }
    Ok(MigrationPlan::Run {
        statements,
        told: prefixed(lacking),
    })
}
