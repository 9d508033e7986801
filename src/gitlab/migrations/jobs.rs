//! The table of CI's jobs. GitLab CI 7.13 has made a configuration of each project's jobs, in
//! `ci_projects.generated_yaml_config`, and GitLab reads only that.

use postgres::Transaction;

use super::super::columns::has_column;
use super::{count, existing, lock_existing, version};
use crate::error::Result;
use crate::migrate::{BuiltIn, Plan, Version};
use crate::schema::ddl::qualified;

/// The table.
pub(super) const TABLE: &str = "ci_jobs";

/// The version of the migration that drops it.
pub(super) const DROPPED: Version = version(12);

/// Drops it, if there is a configuration for every job that is not deleted.
pub(super) const DROP: BuiltIn = BuiltIn {
    lock: |transaction, schema| lock_existing(transaction, schema, &[TABLE]),
    plan,
};

fn plan(transaction: &mut Transaction<'_>, schema: &str) -> Result<Plan> {
    if existing(transaction, schema, &[TABLE])?.is_empty() {
        return Ok(Plan::Run {
            statements: Vec::new(),
            told: "there was nothing to drop".to_owned(),
        });
    }
    if existing(transaction, schema, &["application_settings"])?.is_empty() {
        return Ok(Plan::Wait(format!("there is no GitLab in {schema}")));
    }
    let jobs = qualified(schema, TABLE);
    let mut sql = format!("SELECT count(*) FROM {jobs} j WHERE true");
    if has_column(transaction, schema, TABLE, "deleted_at")? {
        sql += " AND j.deleted_at IS NULL";
    }
    if has_column(transaction, schema, TABLE, "project_id")?
        && has_column(transaction, schema, "ci_projects", "generated_yaml_config")?
    {
        sql += &format!(
            " AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.id = j.project_id AND p.generated_yaml_config <> '')",
            qualified(schema, "ci_projects")
        );
    }
    let unconverted = count(transaction, &sql)?;
    if unconverted > 0 {
        return Ok(Plan::Wait(format!(
            "{unconverted} jobs are of projects that have no generated_yaml_config made of them"
        )));
    }
    Ok(Plan::Run {
        statements: vec![format!("DROP TABLE {jobs}")],
        told: "dropped ci_jobs".to_owned(),
    })
}
