//! The table of CI's jobs.

use mysql::Conn;

use super::{count, existing};
use crate::error::Result;
use crate::gitlab::known_migrations::{JOBS, NOTHING_TO_DROP, WaitReason};
use crate::migrate::MigrationPlan;
use crate::server::mysql::publish::catalog::has_column;
use crate::server::mysql::sql::qualified;

/// Drops it, if there is a configuration for every job that is not deleted.
pub(super) fn plan(conn: &mut Conn, database: &str) -> Result<MigrationPlan> {
    if existing(conn, database, &[JOBS])?.is_empty() {
        return Ok(MigrationPlan::Run {
            statements: Vec::new(),
            told: NOTHING_TO_DROP.to_owned(),
        });
    }
    if existing(conn, database, &["application_settings"])?.is_empty() {
        return Ok(MigrationPlan::Wait(
            WaitReason::NoGitlab(database).to_string(),
        ));
    }
    let jobs = qualified(database, JOBS);
    let mut sql = format!("SELECT COUNT(*) FROM {jobs} j WHERE true");
    if has_column(conn, database, JOBS, "deleted_at")? {
        sql += " AND j.deleted_at IS NULL";
    }
    if has_column(conn, database, JOBS, "project_id")?
        && has_column(conn, database, "ci_projects", "generated_yaml_config")?
    {
        sql += &format!(
            " AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.id = j.project_id AND p.generated_yaml_config <> '')",
            qualified(database, "ci_projects")
        );
    }
    let unconverted = count(conn, &sql)?;
    if unconverted > 0 {
        return Ok(MigrationPlan::Wait(
            WaitReason::Unconverted(unconverted).to_string(),
        ));
    }
    Ok(MigrationPlan::Run {
        statements: vec![format!("DROP TABLE {jobs}")],
        told: format!("dropped {JOBS}"),
    })
}
