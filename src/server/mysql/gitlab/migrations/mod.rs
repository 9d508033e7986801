//! The migrations of [`crate::server::postgresql::gitlab::migrations`] for a database in MySQL.

mod jobs;
mod numbering;
mod previous;
mod recorded;
mod services;
mod tags;

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::Result;
use crate::gitlab::known_migrations::{self, KnownMigration};
use crate::gitlab::tables::TABLES;
use crate::migrate::Migration;
use crate::server::mysql::error::failure;
use crate::server::mysql::migrate::{BuiltIn, versions};
use crate::server::mysql::publish::catalog::base_tables;

pub use recorded::dropped_tables;
pub(super) use recorded::{exchange, prepare, prepare_exchange, renew};
pub(super) use services::prefix;

/// All of them, in order.
#[must_use]
pub fn built_in() -> Vec<Migration<BuiltIn>> {
    let plan = |known| match known {
        KnownMigration::NumberIds => numbering::plan,
        KnownMigration::PrefixServices => services::plan,
        KnownMigration::DropTags => tags::plan,
        KnownMigration::DropJobs => jobs::plan,
        KnownMigration::DropPrevious => previous::plan,
    };
    KnownMigration::ALL
        .map(|known| known.with(BuiltIn { plan: plan(known) }))
        .to_vec()
}

/// Those that are of any concern to the target: all, if `database` has or had tables of CI; else none.
pub fn concerning(conn: &mut Conn, database: &str) -> Result<Vec<Migration<BuiltIn>>> {
    let recorded = versions::read(conn, database)?;
    let is_recorded = |version: &String| recorded.contains(version);
    if !existing(conn, database, &TABLES)?.is_empty()
        || known_migrations::versions().iter().any(is_recorded)
    {
        return Ok(built_in());
    }
    Ok(Vec::new())
}

/// Those of `tables` that are tables of `database`.
fn existing(conn: &mut Conn, database: &str, tables: &[&str]) -> Result<Vec<String>> {
    let mut existing = base_tables(conn, database)?;
    existing.retain(|name| tables.contains(&name.as_str()));
    Ok(existing)
}

/// The number that `sql` gives.
fn count(conn: &mut Conn, sql: &str) -> Result<i64> {
    let count: Option<i64> = conn
        .query_first(sql)
        .map_err(failure("look at the tables of CI"))?;
    Ok(count.unwrap_or_default())
}
