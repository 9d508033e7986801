//! The transaction of a publish, and the locks it takes on the live tables.

use postgres::{Client, Transaction};

use super::relations::relations;
use crate::error::Result;
use crate::failpoint;
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;

/// Locks those of `tables` that are live, and returns their names.
pub(super) fn lock_live(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<String>> {
    let mut names = relations(transaction, schema, "r")?;
    names.retain(|name| tables.contains(&name.as_str()));
    if !names.is_empty() {
        let list: Vec<String> = names.iter().map(|name| qualified(schema, name)).collect();
        let sql = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", list.join(", "));
        transaction.batch_execute(&sql).map_err(|cause| {
            failure("lock the live tables")(cause)
                .hint("somebody holds them; stop GitLab and its jobs, then run it again")
        })?;
    }
    Ok(names)
}

/// The lock timeout of a publish for the live tables.
const LOCK_TIMEOUT: &str = "15s";

/// Begins the transaction of a publish.
pub(super) fn begin(client: &mut Client) -> Result<Transaction<'_>> {
    let mut transaction = client.transaction().map_err(failure("begin to publish"))?;
    transaction
        .batch_execute(&format!(
            "SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL synchronous_commit = on"
        ))
        .map_err(failure("begin to publish"))?;
    failpoint::reached("transaction begun");
    Ok(transaction)
}
