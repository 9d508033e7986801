//! The tables that the last import has replaced.

use super::list::{KEPT_ROWS, NOTHING_TO_DROP};
use super::wait_reason::WaitReason;
use crate::migrate::MigrationPlan;

/// What is in the schema with these tables.
pub struct PreviousTables {
    /// The replaced tables that have rows.
    pub replaced: Vec<String>,
    /// The other tables that have rows: those with kept rows of tables that were not replaced.
    pub kept: Vec<String>,
    /// The statements that drop all tables.
    pub drop: Vec<String>,
    /// Whether a replaced builds directory is left.
    pub has_builds: bool,
}

/// Drops the tables in the schema `previous`, if they were empty, as in a GitLab that never ran CI. Only
/// `discard` drops tables with rows.
#[must_use]
pub fn plan(previous: &str, tables: Option<PreviousTables>) -> MigrationPlan {
    let Some(tables) = tables else {
        return MigrationPlan::nothing(NOTHING_TO_DROP);
    };
    let kept = tables.kept.into_iter().filter(|name| name == KEPT_ROWS);
    let with_rows: Vec<String> = tables.replaced.into_iter().chain(kept).collect();
    if !with_rows.is_empty() {
        return WaitReason::HasRows(previous, with_rows).into();
    }
    let builds = if tables.has_builds {
        "; the old build traces stay until ci-import discard"
    } else {
        ""
    };
    MigrationPlan::Run {
        statements: tables.drop,
        told: format!("dropped the empty tables in {previous}{builds}"),
    }
}
