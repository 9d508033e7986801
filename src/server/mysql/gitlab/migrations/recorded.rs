//! The record of the built-in migrations around publishes and rollbacks. It is about the tables that are
//! live: it goes aside with them, and comes back with them. What is done to it is in the transaction that
//! commits a publish.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::numbering;
use crate::error::Result;
use crate::failpoint;
use crate::gitlab::known_migrations::{self, KnownMigration};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::gitlab::live::refuse_without_transactions;
use crate::server::mysql::migrate::versions;
use crate::server::mysql::publish::catalog::has_column;
use crate::server::mysql::publish::tables_of;
use crate::server::mysql::publish::{kept, kept_before};
use crate::server::mysql::sql::{literal, qualified};

const DOING: &str = "keep the record of built-in migrations";

/// Makes the table for what is recorded of the live tables, if the target has a record of migrations.
pub(in crate::server::mysql::gitlab) fn prepare(
    conn: &mut Conn,
    databases: &Databases,
) -> Result<()> {
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

/// Makes all of them pending, for the tables that have come, but for the regular ones that have nothing
/// left to do. What was recorded for those that went is kept aside.
pub(in crate::server::mysql::gitlab) fn renew(
    conn: &mut Conn,
    databases: &Databases,
) -> Result<()> {
    let Databases {
        live,
        previous,
        passing,
        ..
    } = databases;
    let name = kept(versions::TABLE);
    // A publish that replaces nothing has not moved it.
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

/// Makes the table for what is recorded of the live tables, if the publish before has kept such a one.
pub(in crate::server::mysql::gitlab) fn prepare_exchange(
    conn: &mut Conn,
    databases: &Databases,
) -> Result<()> {
    if has_column(conn, &databases.previous, &kept(versions::TABLE), "version")? {
        prepare(conn, databases)?;
    }
    Ok(())
}

/// Brings the record back that the publish before has kept; that of the tables that went is kept.
pub(in crate::server::mysql::gitlab) fn exchange(
    conn: &mut Conn,
    databases: &Databases,
) -> Result<()> {
    let Databases {
        live,
        previous,
        passing,
        ..
    } = databases;
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

/// The tables that a recorded migration has dropped, and nobody has made again.
pub fn dropped_tables(conn: &mut Conn, database: &str) -> Result<Vec<&'static str>> {
    let recorded = versions::read(conn, database)?;
    let there = tables_of(conn, database)?;
    Ok(known_migrations::dropped(&recorded, |table| {
        there.iter().any(|name| name == table)
    }))
}

/// Moves the versions of built-in migrations from the record of `database` into the table `kept`.
fn keep(conn: &mut Conn, database: &str, kept: &str) -> Result<()> {
    let table = qualified(database, versions::TABLE);
    let versions = known_migrations::versions();
    let versions: Vec<String> = versions.iter().map(|version| literal(version)).collect();
    let which = format!("version IN ({})", versions.join(", "));
    run(
        conn,
        &format!("INSERT INTO {kept} (version) SELECT version FROM {table} WHERE {which}"),
    )?;
    run(conn, &format!("DELETE FROM {table} WHERE {which}"))
}

fn run(conn: &mut Conn, sql: &str) -> Result<()> {
    conn.query_drop(sql).map_err(failure(DOING))
}
