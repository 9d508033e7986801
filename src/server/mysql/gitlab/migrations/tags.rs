//! The tables of CI's tags, which GitLab does not read: an import merges them into GitLab's own.

use mysql::Conn;

use super::{count, existing};
use crate::error::Result;
use crate::gitlab::known_migrations::{NOTHING_TO_DROP, TAGS, WaitReason, dropped_tags};
use crate::migrate::MigrationPlan;
use crate::server::mysql::gitlab::tags::{NEEDED_OF_GITLAB, missing_taggings, missing_tags};
use crate::server::mysql::publish::catalog::has_column;
use crate::server::mysql::sql::qualified;

/// Drops them, if every row of theirs is among GitLab's.
pub(super) fn plan(conn: &mut Conn, database: &str) -> Result<MigrationPlan> {
    let found = existing(conn, database, &TAGS)?;
    if found.is_empty() {
        return Ok(MigrationPlan::Run {
            statements: Vec::new(),
            told: NOTHING_TO_DROP.to_owned(),
        });
    }
    for (table, column) in NEEDED_OF_GITLAB {
        if !has_column(conn, database, table, column)? {
            return Ok(MigrationPlan::Wait(
                WaitReason::NoTable(table, database).to_string(),
            ));
        }
    }
    if let Some(reason) = unmerged(conn, database, &found)? {
        return Ok(MigrationPlan::Wait(reason.to_string()));
    }
    let names: Vec<String> = found.iter().map(|name| qualified(database, name)).collect();
    Ok(MigrationPlan::Run {
        statements: vec![format!("DROP TABLE {}", names.join(", "))],
        told: dropped_tags(&found),
    })
}

/// What would be lost, if anything.
fn unmerged(
    conn: &mut Conn,
    database: &str,
    found: &[String],
) -> Result<Option<WaitReason<'static>>> {
    let has = |table: &str| found.iter().any(|found| found == table);
    if has("ci_tags") {
        let missing = missing_tags(conn, database)?;
        if missing > 0 {
            return Ok(Some(WaitReason::TagsMissing(missing)));
        }
    }
    if has("ci_taggings") {
        let with_tag = if has("ci_tags") {
            let ci_tags = qualified(database, "ci_tags");
            format!(
                "WHERE NOT EXISTS (SELECT 1 FROM {ci_tags} t WHERE t.id = ci.tag_id AND t.name IS NOT NULL)"
            )
        } else {
            String::new()
        };
        let taggings = qualified(database, "ci_taggings");
        let orphans = count(
            conn,
            &format!("SELECT COUNT(*) FROM {taggings} ci {with_tag}"),
        )?;
        if orphans > 0 {
            return Ok(Some(WaitReason::WithoutTag(orphans)));
        }
    }
    let missing = missing_taggings(conn, database)?.unwrap_or(0);
    Ok((missing > 0).then_some(WaitReason::TaggingsMissing(missing)))
}
