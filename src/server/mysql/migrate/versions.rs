//! The table of the versions that were run, as Rails makes and reads it: texts, nothing else. Rails
//! takes no notice of versions it has no file for, and neither do we.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::{Error, Result};
use crate::migrate::Version;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::{literal, qualified};

/// Its name.
pub(crate) const TABLE: &str = "schema_migrations";

/// Whether `database` has the table. An error if something of that name is none.
pub(crate) fn exists(conn: &mut Conn, database: &str) -> Result<bool> {
    // Two questions with constants alone: for a join of the two MariaDB opens all tables and views there
    // are.
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
    Err(Error::target(format!(
        "{database}.{TABLE} is not the table of migrations that Rails makes: it has no column version of texts"
    ))
    .hint("is it another program's? rename it"))
}

/// Makes the table, as Rails does.
pub(super) fn make(conn: &mut Conn, database: &str) -> Result<()> {
    let table = qualified(database, TABLE);
    conn.query_drop(format!(
        "CREATE TABLE {table} (version varchar(255) NOT NULL,
           UNIQUE KEY unique_schema_migrations (version)) ENGINE=InnoDB"
    ))
    .map_err(failure(format!("make the table {database}.{TABLE}")))
}

/// All versions in the table, also those of others, in any notation.
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

/// The statement that puts a version into the table, where it is missing: an import may have put it
/// there meanwhile.
pub(crate) fn record(database: &str, version: Version) -> String {
    let (table, version) = (qualified(database, TABLE), literal(&version.to_string()));
    format!(
        "INSERT INTO {table} (version) VALUES ({version}) ON DUPLICATE KEY UPDATE version = version"
    )
}

/// The statement that takes a version out of the table.
pub(super) fn forget(database: &str, version: Version) -> String {
    let (table, version) = (qualified(database, TABLE), literal(&version.to_string()));
    format!("DELETE FROM {table} WHERE version = {version}")
}
