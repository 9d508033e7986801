//! The regular built-in migrations as steps of a publish.

use postgres::Transaction;

use super::built_in::built_in;
use crate::error::Result;
use crate::gitlab::migrations::KnownMigration;
use crate::migrate::{MigrationBody, MigrationPlan, Phase};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::migrate::versions;

/// What the regular migrations did in a publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegularChanges {
    /// The number of services whose type got its prefix.
    pub services: u64,
    /// What was done to sequences, if they lacked anything.
    pub sequences: Option<String>,
}

/// Runs the regular migrations in the transaction of a publish, which has locked the tables. Records them if
/// the target has a table of versions.
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
