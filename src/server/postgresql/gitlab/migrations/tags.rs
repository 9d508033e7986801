//! The tables of CI's tags, which GitLab does not read: an import merges them into GitLab's own.

use postgres::Transaction;

use super::{count, existing, lock_existing};
use crate::error::Result;
use crate::gitlab::known_migrations::{NOTHING_TO_DROP, TAGS, WaitReason, dropped_tags};
use crate::migrate::MigrationPlan;
use crate::schema::sql::qualified;
use crate::server::postgresql::gitlab::columns::has_column;
use crate::server::postgresql::gitlab::tags::missing_taggings;
use crate::server::postgresql::migrate::BuiltIn;

/// Drops them, if every row of theirs is among GitLab's.
pub(super) const DROP: BuiltIn = BuiltIn {
    lock: |transaction, schema| lock_existing(transaction, schema, &TAGS),
    plan,
};

fn plan(transaction: &mut Transaction<'_>, schema: &str) -> Result<MigrationPlan> {
    let found = existing(transaction, schema, &TAGS)?;
    if found.is_empty() {
        return Ok(MigrationPlan::Run {
            statements: Vec::new(),
            told: NOTHING_TO_DROP.to_owned(),
        });
    }
    for (table, column) in [("tags", "name"), ("taggings", "taggable_type")] {
        if !has_column(transaction, schema, table, column)? {
            return Ok(MigrationPlan::Wait(
                WaitReason::NoTable(table, schema).to_string(),
            ));
        }
    }
    if let Some(reason) = unmerged(transaction, schema, &found)? {
        return Ok(MigrationPlan::Wait(reason.to_string()));
    }
    let names: Vec<String> = found.iter().map(|name| qualified(schema, name)).collect();
    Ok(MigrationPlan::Run {
        statements: vec![format!("DROP TABLE {}", names.join(", "))],
        told: dropped_tags(&found),
    })
}

/// What would be lost, if anything.
fn unmerged(
    transaction: &mut Transaction<'_>,
    schema: &str,
    found: &[String],
) -> Result<Option<WaitReason<'static>>> {
    let name = |table: &str| qualified(schema, table);
    let (tags, ci_tags, ci_taggings) = (name("tags"), name("ci_tags"), name("ci_taggings"));
    let has = |table: &str| found.iter().any(|found| found == table);
    if has("ci_tags") {
        let sql = format!(
            "SELECT count(*) FROM {ci_tags} ci
             WHERE ci.name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {tags} t WHERE t.name = ci.name)"
        );
        let missing = count(transaction, &sql)?;
        if missing > 0 {
            return Ok(Some(WaitReason::TagsMissing(missing)));
        }
    }
    if has("ci_taggings") {
        let with_tag = if has("ci_tags") {
            format!(
                "WHERE NOT EXISTS (SELECT 1 FROM {ci_tags} t WHERE t.id = ci.tag_id AND t.name IS NOT NULL)"
            )
        } else {
            String::new()
        };
        let sql = format!("SELECT count(*) FROM {ci_taggings} ci {with_tag}");
        let orphans = count(transaction, &sql)?;
        if orphans > 0 {
            return Ok(Some(WaitReason::WithoutTag(orphans)));
        }
    }
    let missing = missing_taggings(transaction, schema)?.unwrap_or(0);
    Ok((missing > 0).then_some(WaitReason::TaggingsMissing(missing)))
}
