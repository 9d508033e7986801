//! The table of CI's jobs.

use super::database::CiDatabase;
use super::list::{JOBS, NOTHING_TO_DROP};
use super::wait_reason::WaitReason;
use crate::error::Result;
use crate::gitlab::live::SETTINGS;
use crate::migrate::MigrationPlan;

/// Drops it, if there is a configuration for every job that is not deleted.
pub fn plan(database: &mut impl CiDatabase) -> Result<MigrationPlan> {
    if database.existing(&[JOBS])?.is_empty() {
        return Ok(MigrationPlan::nothing(NOTHING_TO_DROP));
    }
    if database.existing(&[SETTINGS])?.is_empty() {
        return Ok(WaitReason::NoGitlab(database.schema()).into());
    }
    let jobs = database.qualified(JOBS);
    let mut unconverted = format!("{jobs} j WHERE true");
    if database.has_column(JOBS, "deleted_at")? {
        unconverted += " AND j.deleted_at IS NULL";
    }
    if database.has_column(JOBS, "project_id")?
        && database.has_column("ci_projects", "generated_yaml_config")?
    {
        unconverted += &format!(
            " AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.id = j.project_id AND p.generated_yaml_config <> '')",
            database.qualified("ci_projects")
        );
    }
    let unconverted = database.count(&unconverted)?;
    if unconverted > 0 {
        return Ok(WaitReason::Unconverted(unconverted).into());
    }
    Ok(MigrationPlan::Run {
        statements: vec![format!("DROP TABLE {jobs}")],
        told: format!("dropped {JOBS}"),
    })
}
