//! What built-in migrations ask about the tables of CI and GitLab, in MySQL.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::tags::{missing_taggings, missing_tags};
use crate::error::Result;
use crate::gitlab::migrations::database::CiDatabase;
use crate::server::mysql::error::failure;
use crate::server::mysql::publish::catalog::{base_tables, has_column};
use crate::server::mysql::sql::qualified;

/// The tables in a database.
pub(super) struct CiTables<'a> {
    pub(super) conn: &'a mut Conn,
    pub(super) database: &'a str,
}

impl CiDatabase for CiTables<'_> {
    // Whatever the collation of the types is.
    const UNPREFIXED: &'static str =
        "NOT CONVERT(type USING utf8mb4) COLLATE utf8mb4_bin LIKE 'Ci::%'";
    const PREFIXED: &'static str = "CONCAT('Ci::', type)";

    fn schema(&self) -> &str {
        self.database
    }

    fn qualified(&self, table: &str) -> String {
        qualified(self.database, table)
    }

    fn existing(&mut self, tables: &[&str]) -> Result<Vec<String>> {
        existing(self.conn, self.database, tables)
    }

    fn has_column(&mut self, table: &str, column: &str) -> Result<bool> {
        has_column(self.conn, self.database, table, column)
    }

    fn count(&mut self, from: &str) -> Result<i64> {
        let count: Option<i64> = self
            .conn
            .query_first(format!("SELECT COUNT(*) FROM {from}"))
            .map_err(failure("look at the tables of CI"))?;
        Ok(count.unwrap_or_default())
    }

    fn missing_tags(&mut self) -> Result<i64> {
        missing_tags(self.conn, self.database)
    }

    fn missing_taggings(&mut self) -> Result<Option<i64>> {
        missing_taggings(self.conn, self.database)
    }
}

/// Those of `tables` that are tables of `database`.
pub(super) fn existing(conn: &mut Conn, database: &str, tables: &[&str]) -> Result<Vec<String>> {
    let mut existing = base_tables(conn, database)?;
    existing.retain(|name| tables.contains(&name.as_str()));
    Ok(existing)
}
