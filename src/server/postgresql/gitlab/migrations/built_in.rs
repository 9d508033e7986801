//! The built-in migrations for PostgreSQL, and whether they concern a target.

use postgres::GenericClient;

use super::numbering;
use crate::error::Result;
use crate::gitlab::migrations::KnownMigration;
use crate::gitlab::migrations::list::{CI_TAG_TABLES, JOBS, is_any_recorded};
use crate::gitlab::migrations::previous::{self, PreviousTables};
use crate::gitlab::migrations::{jobs, services, tags};
use crate::gitlab::tables::TABLES;
use crate::migrate::Migration;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::gitlab::ci_tables::{CiTables, lock_existing};
use crate::server::postgresql::migrate::{BuiltIn, versions};
use crate::server::postgresql::publish::{PREVIOUS_SCHEMA, look_aside};

/// All of them for PostgreSQL, in order.
#[must_use]
pub fn built_in() -> Vec<Migration<BuiltIn>> {
    let body = |known| match known {
        KnownMigration::NumberIds => numbering::OWN,
        KnownMigration::PrefixServices => PREFIX_SERVICES,
        KnownMigration::DropTags => DROP_TAGS,
        KnownMigration::DropJobs => DROP_JOBS,
        KnownMigration::DropPrevious => DROP_PREVIOUS,
    };
    KnownMigration::ALL
        .map(|known| known.with(body(known)))
        .to_vec()
}

const PREFIX_SERVICES: BuiltIn = BuiltIn {
    // Only rows are changed.
    lock: |_, _| Ok(Vec::new()),
    plan: |transaction, schema| {
        services::plan(&mut CiTables {
            transaction,
            schema,
        })
    },
};

const DROP_TAGS: BuiltIn = BuiltIn {
    lock: |transaction, schema| lock_existing(transaction, schema, &CI_TAG_TABLES),
    plan: |transaction, schema| {
        tags::plan(&mut CiTables {
            transaction,
            schema,
        })
    },
};

const DROP_JOBS: BuiltIn = BuiltIn {
    lock: |transaction, schema| lock_existing(transaction, schema, &[JOBS]),
    plan: |transaction, schema| {
        jobs::plan(&mut CiTables {
            transaction,
            schema,
        })
    },
};

const DROP_PREVIOUS: BuiltIn = BuiltIn {
    lock: |transaction, _| {
        let aside = look_aside(transaction)?;
        Ok(aside.and_then(|aside| aside.lock).into_iter().collect())
    },
    plan: |transaction, _| {
        let tables = look_aside(transaction)?.map(|aside| PreviousTables {
            replaced: aside.replaced,
            kept: aside.kept,
            drop: aside.statements,
            has_builds: aside.has_builds,
        });
        Ok(previous::plan(PREVIOUS_SCHEMA, tables))
    },
};

/// The built-in migrations, if `schema` has tables of CI or one of them was run there; otherwise none.
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
    let recorded = versions::read(client, schema)?;
    if row.get(0) || is_any_recorded(&recorded) {
        return Ok(built_in());
    }
    Ok(Vec::new())
}
