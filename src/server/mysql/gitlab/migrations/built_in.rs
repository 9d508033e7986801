//! The built-in migrations for MySQL, and whether they concern a target.

use mysql::Conn;

use super::numbering;
use crate::error::Result;
use crate::gitlab::migrations::KnownMigration;
use crate::gitlab::migrations::list::is_any_recorded;
use crate::gitlab::migrations::previous::{self, PreviousTables};
use crate::gitlab::migrations::{jobs, services, tags};
use crate::gitlab::tables::TABLES;
use crate::migrate::{Migration, MigrationPlan};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::gitlab::ci_tables::{CiTables, existing};
use crate::server::mysql::migrate::{BuiltIn, versions};
use crate::server::mysql::publish::look_aside;

/// All of them for MySQL, in order.
#[must_use]
pub fn built_in() -> Vec<Migration<BuiltIn>> {
    let plan = |known| match known {
        KnownMigration::NumberIds => numbering::plan,
        KnownMigration::PrefixServices => prefix_services,
        KnownMigration::DropTags => drop_tags,
        KnownMigration::DropJobs => drop_jobs,
        KnownMigration::DropPrevious => drop_previous,
    };
    KnownMigration::ALL
        .map(|known| known.with(BuiltIn { plan: plan(known) }))
        .to_vec()
}

fn prefix_services(conn: &mut Conn, database: &str) -> Result<MigrationPlan> {
    services::plan(&mut CiTables { conn, database })
}

fn drop_tags(conn: &mut Conn, database: &str) -> Result<MigrationPlan> {
    tags::plan(&mut CiTables { conn, database })
}

fn drop_jobs(conn: &mut Conn, database: &str) -> Result<MigrationPlan> {
    jobs::plan(&mut CiTables { conn, database })
}

fn drop_previous(conn: &mut Conn, database: &str) -> Result<MigrationPlan> {
    let databases = Databases::of(database)?;
    let tables = look_aside(conn, &databases)?.map(|aside| PreviousTables {
        replaced: aside.replaced,
        kept: aside.kept,
        drop: aside.statements,
        has_builds: aside.has_builds,
    });
    Ok(previous::plan(&databases.previous, tables))
}

/// The built-in migrations, if `database` has tables of CI or one of them was run there; otherwise none.
pub fn concerning(conn: &mut Conn, database: &str) -> Result<Vec<Migration<BuiltIn>>> {
    let recorded = versions::read(conn, database)?;
    if !existing(conn, database, &TABLES)?.is_empty() || is_any_recorded(&recorded) {
        return Ok(built_in());
    }
    Ok(Vec::new())
}
