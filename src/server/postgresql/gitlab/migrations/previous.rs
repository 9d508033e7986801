//! The tables that the last import has replaced.

use postgres::Transaction;

use crate::error::Result;
use crate::gitlab::known_migrations::{KEPT_ROWS, NOTHING_TO_DROP, WaitReason, dropped_previous};
use crate::migrate::MigrationPlan;
use crate::server::postgresql::migrate::BuiltIn;
use crate::server::postgresql::publish::{PREVIOUS_SCHEMA, look_aside};

/// Drops them if they were empty, as those of a GitLab that never ran CI; rows are for whoever calls
/// `discard`.
pub(super) const DROP: BuiltIn = BuiltIn {
    lock: |transaction, _| {
        let aside = look_aside(transaction)?;
        Ok(aside.and_then(|aside| aside.lock).into_iter().collect())
    },
    plan,
};

fn plan(transaction: &mut Transaction<'_>, _: &str) -> Result<MigrationPlan> {
    let Some(aside) = look_aside(transaction)? else {
        return Ok(MigrationPlan::Run {
            statements: Vec::new(),
            told: NOTHING_TO_DROP.to_owned(),
        });
    };
    let kept = aside.kept.into_iter().filter(|name| name == KEPT_ROWS);
    let with_rows: Vec<String> = aside.replaced.into_iter().chain(kept).collect();
    if !with_rows.is_empty() {
        let waits = WaitReason::HasRows(PREVIOUS_SCHEMA, with_rows);
        return Ok(MigrationPlan::Wait(waits.to_string()));
    }
    Ok(MigrationPlan::Run {
        statements: aside.statements,
        told: dropped_previous(PREVIOUS_SCHEMA, aside.has_builds),
    })
}
