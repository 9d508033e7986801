//! The tables that the last import has replaced.

use mysql::Conn;

use crate::error::Result;
use crate::gitlab::known_migrations::{KEPT_ROWS, NOTHING_TO_DROP, WaitReason, dropped_previous};
use crate::migrate::MigrationPlan;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::publish::look_aside;

/// Drops them if they were empty, as those of a GitLab that never ran CI; rows are for whoever calls
/// `discard`.
pub(super) fn plan(conn: &mut Conn, database: &str) -> Result<MigrationPlan> {
    let databases = Databases::of(database)?;
    let Some(aside) = look_aside(conn, &databases)? else {
        return Ok(MigrationPlan::Run {
            statements: Vec::new(),
            told: NOTHING_TO_DROP.to_owned(),
        });
    };
    let previous = &databases.previous;
    let kept = aside.kept.into_iter().filter(|name| name == KEPT_ROWS);
    let with_rows: Vec<String> = aside.replaced.into_iter().chain(kept).collect();
    if !with_rows.is_empty() {
        return Ok(MigrationPlan::Wait(
            WaitReason::HasRows(previous, with_rows).to_string(),
        ));
    }
    Ok(MigrationPlan::Run {
        statements: aside.statements,
        told: dropped_previous(previous, aside.has_builds),
    })
}
