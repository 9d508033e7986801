//! The migrations that are built in: what an import leaves to be done in the database of a GitLab, in
//! the form of migrations, so that they can be run with it, later, or without any import on a database
//! that was converted by hand.
//!
//! Their versions are of a time before GitLab was written: none of its own is the same, and none of
//! them is ever the latest, by which Rails tells how new a database is. They are recorded like all
//! others, but about the tables of one import: the next one brings tables for which they have not been
//! run ([`renew`]).

mod jobs;
mod numbering;
mod previous;
mod recorded;
mod services;
mod tags;

use postgres::{GenericClient, Transaction};

use crate::error::Result;
use crate::migrate::{Migration, MigrationBody, MigrationPlan, Phase};
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::migrate::{BuiltIn, versions};

use crate::gitlab::known_migrations::{self, KnownMigration};
use crate::gitlab::tables::TABLES;

pub use recorded::{dropped_tables, exchange, renew};

/// All of them for PostgreSQL, in order.
#[must_use]
pub fn built_in() -> Vec<Migration<BuiltIn>> {
    let body = |known| match known {
        KnownMigration::NumberIds => numbering::OWN,
        KnownMigration::PrefixServices => services::PREFIX,
        KnownMigration::DropTags => tags::DROP,
        KnownMigration::DropJobs => jobs::DROP,
        KnownMigration::DropPrevious => previous::DROP,
    };
    KnownMigration::ALL
        .map(|known| known.with(body(known)))
        .to_vec()
}

/// Those that are of any concern to the target: all, if `schema` has or had tables of CI; else none.
pub fn concerning(
    client: &mut impl GenericClient,
    schema: &str,
) -> Result<Vec<Migration<BuiltIn>>> {
    let sql = "SELECT EXISTS (
                 SELECT 1 FROM pg_catalog.pg_class c
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind IN ('r', 'p'))";
    let tables: &[&str] = &TABLES;
    let row = client
        .query_one(sql, &[&schema, &tables])
        .map_err(failure("look for the tables of CI"))?;
    let all = built_in();
    let recorded = versions::read(client, schema)?;
    let is_recorded = |version: &String| recorded.contains(version);
    if row.get(0) || known_migrations::versions().iter().any(is_recorded) {
        return Ok(all);
    }
    Ok(Vec::new())
}

/// What the regular ones did in a publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegularChanges {
    /// Services whose type got its prefix.
    pub services: u64,
    /// What was done to sequences, if they lacked anything.
    pub sequences: Option<String>,
}

/// Runs the regular ones in the transaction of a publish, which has locked the tables, and records them
/// if the target has a record of migrations.
pub fn run_regular(transaction: &mut Transaction<'_>, schema: &str) -> Result<RegularChanges> {
    let has_record = versions::exists(transaction, schema)?;
    let mut changes = RegularChanges::default();
    for migration in built_in() {
        let MigrationBody::BuiltIn(built_in) = migration.body else {
            continue;
        };
        if migration.phase != Phase::Regular {
            continue;
        }
        let MigrationPlan::Run { statements, told } = (built_in.plan)(transaction, schema)? else {
            continue;
        };
        if migration.version == KnownMigration::NumberIds.version() && !statements.is_empty() {
            changes.sequences = Some(told);
        }
        let mut execute = |sql: &str| {
            let doing = failure(format!("run the migration {}", migration.name));
            transaction.execute(sql, &[]).map_err(doing)
        };
        for sql in statements {
            let rows = execute(&sql)?;
            if migration.version == KnownMigration::PrefixServices.version() {
                changes.services += rows;
            }
        }
        if has_record {
            execute(&versions::record(schema, migration.version))?;
        }
    }
    Ok(changes)
}

/// The statement that locks those of `tables` that are there, so that nobody changes them any more.
fn lock_existing(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<String>> {
    let existing = existing(transaction, schema, tables)?;
    if existing.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = existing
        .iter()
        .map(|name| qualified(schema, name))
        .collect();
    let list = names.join(", ");
    Ok(vec![format!("LOCK TABLE {list} IN ACCESS EXCLUSIVE MODE")])
}

/// Those of `tables` that are tables of `schema`.
fn existing(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<String>> {
    let sql = "SELECT c.relname::text FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind IN ('r', 'p') ORDER BY 1";
    let rows = transaction
        .query(sql, &[&schema, &tables])
        .map_err(failure("look for the tables of CI"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The number that `sql` gives.
fn count(transaction: &mut Transaction<'_>, sql: &str) -> Result<i64> {
    let row = transaction
        .query_one(sql, &[])
        .map_err(failure("look at the tables of CI"))?;
    Ok(row.get(0))
}
