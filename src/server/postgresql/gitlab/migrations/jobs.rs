//! The table of CI's jobs.

use postgres::Transaction;

use super::{count, existing, lock_existing};
use crate::error::Result;
use crate::gitlab::known_migrations::{JOBS, NOTHING_TO_DROP, WaitReason};
use crate::migrate::MigrationPlan;
use crate::schema::sql::qualified;
use crate::server::postgresql::gitlab::columns::has_column;
use crate::server::postgresql::migrate::BuiltIn;

/// Drops it, if there is a configuration for every job that is not deleted.
pub(super) const DROP: BuiltIn = BuiltIn {
    lock: |transaction, schema| lock_existing(transaction, schema, &[JOBS]),
    plan,
};

fn plan(transaction: &mut Transaction<'_>, schema: &str) -> Result<MigrationPlan> {
    if existing(transaction, schema, &[JOBS])?.is_empty() {
        return Ok(MigrationPlan::Run {
            statements: Vec::new(),
            told: NOTHING_TO_DROP.to_owned(),
        });
    }
    if existing(transaction, schema, &["application_settings"])?.is_empty() {
        return Ok(MigrationPlan::Wait(
            WaitReason::NoGitlab(schema).to_string(),
        ));
    }
    let jobs = qualified(schema, JOBS);
    let mut sql = format!("SELECT count(*) FROM {jobs} j WHERE true");
    if has_column(transaction, schema, JOBS, "deleted_at")? {
        sql += " AND j.deleted_at IS NULL";
    }
    if has_column(transaction, schema, JOBS, "project_id")?
        && has_column(transaction, schema, "ci_projects", "generated_yaml_config")?
    {
        sql += &format!(
            " AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.id = j.project_id AND p.generated_yaml_config <> '')",
            qualified(schema, "ci_projects")
        );
    }
    let unconverted = count(transaction, &sql)?;
    if unconverted > 0 {
        return Ok(MigrationPlan::Wait(
            WaitReason::Unconverted(unconverted).to_string(),
        ));
    }
    Ok(MigrationPlan::Run {
        statements: vec![format!("DROP TABLE {jobs}")],
        told: "dropped ci_jobs".to_owned(),
    })
}
