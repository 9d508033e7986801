//! The recorded versions of built-in migrations around publishes and rollbacks. They belong to the live tables:
//! a publish moves them aside with the tables, and a rollback brings them back. These changes belong to the
//! transaction that commits a publish.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::numbering;
use crate::error::Result;
use crate::failpoint;
use crate::gitlab::migrations::KnownMigration;
use crate::gitlab::migrations::list::{dropped, is_built_in};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::gitlab::engine::refuse_without_transactions;
use crate::server::mysql::migrate::versions;
use crate::server::mysql::publish::catalog::has_column;
use crate::server::mysql::publish::tables_of;
use crate::server::mysql::publish::{kept, kept_before};
use crate::server::mysql::sql::qualified;

const DOING: &str = "keep the record of built-in migrations";

/// Creates the table that keeps the versions of the live tables, if the target has a table of versions.
pub(crate) fn prepare(conn: &mut Conn, databases: &Databases) -> Result<()> {
    let Databases { live, passing, .. } = databases;
    if !versions::exists(conn, live)? {
        return Ok(());
    }
    refuse_without_transactions(conn, live, versions::TABLE)?;
    let table = qualified(passing, &kept(versions::TABLE));
    run(
        conn,
        &format!(
            "CREATE TABLE {table} (id INT AUTO_INCREMENT PRIMARY KEY, version VARCHAR(255) NOT NULL)
             ENGINE=InnoDB CHARACTER SET ascii"
        ),
    )?;
    failpoint::reached("table for the record of migrations made");
    Ok(())
}

/// Makes the built-in migrations pending for the new tables, except regular ones that have nothing left to do.
/// The versions that were recorded for the former tables are kept.
pub(crate) fn renew(conn: &mut Conn, databases: &Databases) -> Result<()> {
    let (live, previous, passing) = (&databases.live, &databases.previous, &databases.passing);
    let name = kept(versions::TABLE);
    // A publish that replaces no table has not moved this one.
    let place = if has_column(conn, passing, &name, "version")? {
        passing
    } else if has_column(conn, previous, &name, "version")? {
        previous
    } else {
        return Ok(());
    };
    keep(conn, live, &qualified(place, &name))?;
    if numbering::needs(conn, live)?.is_empty() {
        run(
            conn,
            &versions::record(live, KnownMigration::NumberIds.version()),
        )?;
    }
    run(
        conn,
        &versions::record(live, KnownMigration::PrefixServices.version()),
    )?;
    failpoint::reached("record of migrations renewed");
    Ok(())
}

/// Creates the table that keeps the versions of the live tables, if the former publish has kept such a table.
pub(crate) fn prepare_exchange(conn: &mut Conn, databases: &Databases) -> Result<()> {
    if has_column(conn, &databases.previous, &kept(versions::TABLE), "version")? {
        prepare(conn, databases)?;
    }
    Ok(())
}

/// Brings back the versions that the former publish has kept. Those of the former tables are kept.
pub(crate) fn exchange(conn: &mut Conn, databases: &Databases) -> Result<()> {
    let (live, previous, passing) = (&databases.live, &databases.previous, &databases.passing);
    let (from, to) = (kept_before(versions::TABLE), kept(versions::TABLE));
    if !has_column(conn, passing, &from, "version")? || !has_column(conn, previous, &to, "version")?
    {
        return Ok(());
    }
    keep(conn, live, &qualified(previous, &to))?;
    let (table, from) = (qualified(live, versions::TABLE), qualified(passing, &from));
    run(
        conn,
        &format!("INSERT INTO {table} (version) SELECT version FROM {from}"),
    )
}

/// The tables that a recorded migration has dropped and that do not exist again.
pub fn dropped_tables(conn: &mut Conn, database: &str) -> Result<Vec<&'static str>> {
    let recorded = versions::read(conn, database)?;
    let there = tables_of(conn, database)?;
    Ok(dropped(&recorded, |table| {
        there.iter().any(|name| name == table)
    }))
}

/// Moves the versions of built-in migrations from the table of versions in `database` into the table `kept`.
fn keep(conn: &mut Conn, database: &str, kept: &str) -> Result<()> {
    let table = qualified(database, versions::TABLE);
    let which = is_built_in();
    run(
        conn,
        &format!("INSERT INTO {kept} (version) SELECT version FROM {table} WHERE {which}"),
    )?;
    run(conn, &format!("DELETE FROM {table} WHERE {which}"))
}

fn run(conn: &mut Conn, sql: &str) -> Result<()> {
    conn.query_drop(sql).map_err(failure(DOING))
}
