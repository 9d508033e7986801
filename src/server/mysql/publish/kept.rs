//! A staging that is kept for a second try, with its record in a table of its own.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::catalog::tables_of;
use super::moves::Move;
use super::names::{OURS, WAITING, scratch};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::publish::kept::Kept;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::qualified;

/// Writes the record: from then on the staging is kept.
pub(crate) fn write(conn: &mut Conn, databases: &Databases, kept: &Kept) -> Result<()> {
    let table = qualified(&databases.staging, WAITING);
    let doing = || failure("write the record of what is kept");
    failpoint::reached("staging to be kept");
    conn.query_drop(format!(
        "CREATE TABLE {table} (id INT PRIMARY KEY, record LONGTEXT NOT NULL)
         ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    ))
    .map_err(doing())?;
    conn.exec_drop(
        format!("INSERT INTO {table} VALUES (1, ?)"),
        (kept.to_json(),),
    )
    .map_err(doing())?;
    failpoint::reached("staging kept");
    Ok(())
}

/// The record, if there is one.
pub(crate) fn read(conn: &mut Conn, databases: &Databases) -> Result<Option<Kept>> {
    if !is_there(conn, databases)? {
        return Ok(None);
    }
    let table = qualified(&databases.staging, WAITING);
    let text: Option<String> = conn
        .query_first(format!("SELECT record FROM {table}"))
        .map_err(failure("read the record of what is kept"))?;
    Ok(text.and_then(|text| Kept::from_json(&text)))
}

fn is_there(conn: &mut Conn, databases: &Databases) -> Result<bool> {
    let tables = tables_of(conn, &databases.staging)?;
    Ok(tables.iter().any(|name| name == WAITING))
}

/// The move of the record, if there is one: it goes with the staged tables, and comes back with them.
pub(super) fn moves(conn: &mut Conn, databases: &Databases) -> Result<Vec<Move>> {
    if !is_there(conn, databases)? {
        return Ok(Vec::new());
    }
    Ok(vec![Move {
        from: (databases.staging.clone(), WAITING.to_owned()),
        to: (databases.passing.clone(), scratch("waiting")),
    }])
}

/// An error unless the staging has exactly `tables`.
pub(crate) fn check(conn: &mut Conn, databases: &Databases, tables: &[&str]) -> Result<()> {
    let staging = &databases.staging;
    let altered = |what: String| {
        Error::target(format!("it is not what was loaded any more: {what}"))
            .hint("import the archive again; the import drops what is kept")
    };
    let found: Vec<String> = tables_of(conn, staging)?;
    if let Some(missing) = tables
        .iter()
        .find(|name| !found.iter().any(|is| is == *name))
    {
        return Err(altered(format!("{staging} has no table {missing}")));
    }
    let others: Vec<(String, String)> = conn
        .exec(
            "SELECT table_type, table_name FROM information_schema.tables WHERE table_schema = ?
             UNION ALL SELECT 'trigger', trigger_name FROM information_schema.triggers WHERE trigger_schema = ?
             UNION ALL SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = ?
             UNION ALL SELECT 'event', event_name FROM information_schema.events WHERE event_schema = ?",
            (staging, staging, staging, staging),
        )
        .map_err(failure("look at what is kept"))?;
    let is_ours = |kind: &str, name: &str| {
        let is_table = ["BASE TABLE", "SYSTEM VERSIONED"].contains(&kind);
        is_table && (tables.contains(&name) || name.starts_with(OURS))
    };
    match others.iter().find(|(kind, name)| !is_ours(kind, name)) {
        None => Ok(()),
        Some((kind, name)) => Err(altered(format!(
            "{staging} has a {} {name}",
            kind.to_lowercase()
        ))),
    }
}
