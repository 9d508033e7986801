//! The contents of a database.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::Result;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::{identifier, qualified};

/// The tables and views of `database`; none if the database does not exist.
pub fn tables_of(conn: &mut Conn, database: &str) -> Result<Vec<String>> {
    conn.exec(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1",
        (database,),
    )
    .map_err(failure(format!("list the tables of {database}")))
}

/// The tables of `database` that store rows themselves (no views).
pub(in crate::server::mysql) fn base_tables(
    conn: &mut Conn,
    database: &str,
) -> Result<Vec<String>> {
    conn.exec(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = ?
           AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1",
        (database,),
    )
    .map_err(failure(format!("list the tables of {database}")))
}

/// Whether `table` of `database` has `column`.
pub(in crate::server::mysql) fn has_column(
    conn: &mut Conn,
    database: &str,
    table: &str,
    column: &str,
) -> Result<bool> {
    let found: Option<u8> = conn
        .exec_first(
            "SELECT 1 FROM information_schema.columns
             WHERE table_schema = ? AND table_name = ? AND column_name = ?",
            (database, table, column),
        )
        .map_err(failure("look for the tables of GitLab"))?;
    Ok(found.is_some())
}

/// Drops `tables` of `database`, even if foreign keys connect them.
pub(super) fn drop_tables(conn: &mut Conn, database: &str, tables: &[String]) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    let doing = || failure(format!("drop tables of {database}"));
    let names: Vec<String> = tables
        .iter()
        .map(|name| qualified(database, name))
        .collect();
    conn.query_drop("SET SESSION foreign_key_checks = 0")
        .map_err(doing())?;
    let dropped = conn
        .query_drop(format!("DROP TABLE IF EXISTS {}", names.join(", ")))
        .map_err(doing());
    conn.query_drop("SET SESSION foreign_key_checks = 1")
        .map_err(doing())?;
    dropped
}

/// Creates `database`, if it does not exist.
pub(super) fn make_database(conn: &mut Conn, database: &str) -> Result<()> {
    let sql = format!("CREATE DATABASE IF NOT EXISTS {}", identifier(database));
    conn.query_drop(sql)
        .map_err(failure(format!("create the database {database}")))
}

/// Whether `database` exists.
pub(super) fn exists(conn: &mut Conn, database: &str) -> Result<bool> {
    let found: Option<u8> = conn
        .exec_first(
            "SELECT 1 FROM information_schema.schemata WHERE schema_name = ?",
            (database,),
        )
        .map_err(failure(format!("look for the database {database}")))?;
    Ok(found.is_some())
}

/// Drops `database`, if it is empty.
pub(super) fn drop_if_empty(conn: &mut Conn, database: &str) -> Result<()> {
    if !exists(conn, database)? || !tables_of(conn, database)?.is_empty() {
        return Ok(());
    }
    let sql = format!("DROP DATABASE {}", identifier(database));
    conn.query_drop(sql)
        .map_err(failure(format!("drop the empty database {database}")))
}
