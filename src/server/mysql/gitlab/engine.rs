//! The engines of GitLab's tables. A publish changes rows only in tables with transactions.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::{Error, Result};
use crate::server::mysql::error::failure;

/// Refuses a table without transactions: a publish that fails could not undo its changes.
pub(super) fn refuse_without_transactions(
    conn: &mut Conn,
    database: &str,
    table: &str,
) -> Result<()> {
    let without: Option<String> = conn
        .exec_first(
            "SELECT t.engine FROM information_schema.tables t
             JOIN information_schema.engines e ON e.engine = t.engine
             WHERE t.table_schema = ? AND t.table_name = ?
               AND COALESCE(e.transactions, 'NO') <> 'YES'",
            (database, table),
        )
        .map_err(failure("look for the tables of GitLab"))?;
    without.map_or(Ok(()), |engine| {
        Err(Error::target(format!(
            "{database}.{table} has the engine {engine}, which knows no transactions"
        ))
        .hint(format!(
            "ALTER TABLE {table} ENGINE = InnoDB, then run it again"
        )))
    })
}
