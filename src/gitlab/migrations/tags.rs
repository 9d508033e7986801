//! The tables of CI's tags. GitLab does not read them: an import merges them into GitLab's own.

use super::database::CiDatabase;
use super::list::{CI_TAG_TABLES, NOTHING_TO_DROP};
use super::wait_reason::WaitReason;
use crate::error::Result;
use crate::gitlab::tags::NEEDED_OF_GITLAB;
use crate::migrate::MigrationPlan;

/// Drops them, if GitLab has every row of theirs.
pub fn plan(database: &mut impl CiDatabase) -> Result<MigrationPlan> {
    let found = database.existing(&CI_TAG_TABLES)?;
    if found.is_empty() {
        return Ok(MigrationPlan::nothing(NOTHING_TO_DROP));
    }
    for (table, column) in NEEDED_OF_GITLAB {
        if !database.has_column(table, column)? {
            return Ok(WaitReason::NoTable(table, database.schema()).into());
        }
    }
    if let Some(reason) = unmerged(database, &found)? {
        return Ok(reason.into());
    }
    let names: Vec<String> = found.iter().map(|name| database.qualified(name)).collect();
    Ok(MigrationPlan::Run {
        statements: vec![format!("DROP TABLE {}", names.join(", "))],
        told: format!(
            "dropped {}, which are merged into tags and taggings",
            found.join(" and ")
        ),
    })
}

/// The rows that would be lost, if there are any.
fn unmerged(
    database: &mut impl CiDatabase,
    found: &[String],
) -> Result<Option<WaitReason<'static>>> {
    let has = |table: &str| found.iter().any(|found| found == table);
    if has("ci_tags") {
        let missing = database.missing_tags()?;
        if missing > 0 {
            return Ok(Some(WaitReason::TagsMissing(missing)));
        }
    }
    if has("ci_taggings") {
        let without_tag = if has("ci_tags") {
            let ci_tags = database.qualified("ci_tags");
            format!(
                "WHERE NOT EXISTS (SELECT 1 FROM {ci_tags} t WHERE t.id = ci.tag_id AND t.name IS NOT NULL)"
            )
        } else {
            String::new()
        };
        let taggings = database.qualified("ci_taggings");
        let orphans = database.count(&format!("{taggings} ci {without_tag}"))?;
        if orphans > 0 {
            return Ok(Some(WaitReason::WithoutTag(orphans)));
        }
    }
    let missing = database.missing_taggings()?.unwrap_or(0);
    Ok((missing > 0).then_some(WaitReason::TaggingsMissing(missing)))
}
