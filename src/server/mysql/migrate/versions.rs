//! The table of versions in MySQL.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::Result;
use crate::migrate::Version;
pub(crate) use crate::migrate::version_table::TABLE;
use crate::migrate::version_table::{delete, insert, is_another_table};
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::qualified;

/// Whether `database` has the table. Another table or view of its name is an error.
pub(crate) fn exists(conn: &mut Conn, database: &str) -> Result<bool> {
    // Two queries that only have constants: for a join of the two MariaDB would open all tables and views.
    let doing = || failure("look for the table of migrations");
    let kind: Option<String> = conn
        .exec_first(
            "SELECT table_type FROM information_schema.tables
             WHERE table_schema = ? AND table_name = ?",
            (database, TABLE),
        )
        .map_err(doing())?;
    let Some(kind) = kind else {
        return Ok(false);
    };
    let version: Option<String> = conn
        .exec_first(
            "SELECT data_type FROM information_schema.columns
             WHERE table_schema = ? AND table_name = ? AND column_name = 'version'",
            (database, TABLE),
        )
        .map_err(doing())?;
    let is_text = version.is_some_and(|version| version == "varchar" || version.ends_with("text"));
    if kind == "BASE TABLE" && is_text {
        return Ok(true);
    }
    Err(is_another_table(database).hint("is it another program's? rename it"))
}

/// Creates the table, as Rails does.
pub(super) fn create(conn: &mut Conn, database: &str) -> Result<()> {
    let table = qualified(database, TABLE);
    conn.query_drop(format!(
        "CREATE TABLE {table} (version varchar(255) NOT NULL,
           UNIQUE KEY unique_schema_migrations (version)) ENGINE=InnoDB"
    ))
    .map_err(failure(format!("make the table {database}.{TABLE}")))
}

/// All versions in the table, in any notation, including those of other programs.
pub(crate) fn read(conn: &mut Conn, database: &str) -> Result<Vec<String>> {
    if !exists(conn, database)? {
        return Ok(Vec::new());
    }
    conn.query(format!(
        "SELECT version FROM {}",
        qualified(database, TABLE)
    ))
    .map_err(failure("read the table of migrations"))
}

/// The statement that records a version, if it is missing.
pub(crate) fn record(database: &str, version: Version) -> String {
    let if_present = "ON DUPLICATE KEY UPDATE version = version";
    insert(&qualified(database, TABLE), version, if_present)
}

/// The statement that deletes the record of a version.
pub(super) fn forget(database: &str, version: Version) -> String {
    delete(&qualified(database, TABLE), version)
}
