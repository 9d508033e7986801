//! GitLab's own steps around the publish, in its transaction: CI switched off and on, tags merged,
//! services prefixed. Each is done only where the target has the tables for it, so that a bare
//! database works as well.

use postgres::Transaction;

use crate::error::Result;
use crate::load::failure;
use crate::schema::ddl::qualified;

/// What the steps found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveChanges {
    /// Whether CI was switched on (the target has `application_settings`).
    pub ci_enabled: bool,
    /// Taggings of builds and runners that were written, if the target has `taggings`.
    pub taggings: Option<u64>,
    /// Tags that were not there before.
    pub new_tags: u64,
    /// Taggings whose tag is not in the dump; they are left out, as GitLab could not show them.
    pub taggings_without_tag: u64,
    /// Services whose type got its prefix.
    pub services: u64,
}

/// Switches CI off, so that a running GitLab waits instead of writing.
pub fn disable_ci(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    set_ci_enabled(transaction, schema, false).map(|_| ())
}

/// Does what has to be done when the imported tables are in place: `schema` is where they are.
pub fn finish(transaction: &mut Transaction<'_>, schema: &str) -> Result<LiveChanges> {
    let mut changes = LiveChanges::default();
    merge_tags(transaction, schema, &mut changes)?;
    prefix_services(transaction, schema, &mut changes)?;
    changes.ci_enabled = set_ci_enabled(transaction, schema, true)?;
    Ok(changes)
}

fn set_ci_enabled(transaction: &mut Transaction<'_>, schema: &str, enabled: bool) -> Result<bool> {
    if !has_column(transaction, schema, "application_settings", "ci_enabled")? {
        return Ok(false);
    }
    let table = qualified(schema, "application_settings");
    let sql = format!("UPDATE {table} SET ci_enabled = {enabled}");
    transaction
        .execute(&sql, &[])
        .map_err(failure("set application_settings.ci_enabled"))?;
    Ok(true)
}

/// Brings CI's tags and taggings into GitLab's: tags by name, taggings of builds and runners anew.
/// Taggings of anything else, such as projects, are not touched.
fn merge_tags(
    transaction: &mut Transaction<'_>,
    schema: &str,
    changes: &mut LiveChanges,
) -> Result<()> {
    let needed = [
        ("tags", "name"),
        ("taggings", "taggable_type"),
        ("ci_tags", "name"),
        ("ci_taggings", "taggable_type"),
    ];
    for (table, column) in needed {
        if !has_column(transaction, schema, table, column)? {
            return Ok(());
        }
    }
    let name = |table: &str| qualified(schema, table);
    let (tags, taggings) = (name("tags"), name("taggings"));
    let (ci_tags, ci_taggings) = (name("ci_tags"), name("ci_taggings"));
    let mut execute = |sql: &str| {
        transaction
            .execute(sql, &[])
            .map_err(failure("merge the tags"))
    };
    // Nobody else may add the same tag meanwhile.
    execute(&format!(
        "LOCK TABLE {tags}, {taggings} IN SHARE ROW EXCLUSIVE MODE"
    ))?;
    changes.new_tags = execute(&format!(
        "INSERT INTO {tags} (name)
         SELECT DISTINCT name FROM {ci_tags}
         WHERE name IS NOT NULL AND name NOT IN (SELECT name FROM {tags} WHERE name IS NOT NULL)
         ORDER BY name"
    ))?;
    execute(&format!(
        "DELETE FROM {taggings} WHERE taggable_type LIKE 'Ci::%'
           AND (context = 'tags' OR context IN (SELECT context FROM {ci_taggings}))"
    ))?;
    let written = execute(&format!(
        "INSERT INTO {taggings}
           (tag_id, taggable_id, taggable_type, tagger_id, tagger_type, context, created_at)
         SELECT {tags}.id, ci.taggable_id,
                CASE WHEN ci.taggable_type LIKE 'Ci::%' THEN ci.taggable_type
                     ELSE 'Ci::' || ci.taggable_type END,
                ci.tagger_id, ci.tagger_type, COALESCE(ci.context, 'tags'), ci.created_at
         FROM {ci_taggings} ci
         JOIN {ci_tags} ON {ci_tags}.id = ci.tag_id
         JOIN {tags} ON {tags}.name = {ci_tags}.name
         ORDER BY ci.id"
    ))?;
    changes.taggings = Some(written);
    // A tag may share its name with another only by letter case; what joins to none is an orphan.
    let orphans = format!(
        "SELECT count(*) FROM {ci_taggings} ci
         WHERE NOT EXISTS (SELECT 1 FROM {ci_tags} WHERE {ci_tags}.id = ci.tag_id
                           AND {ci_tags}.name IS NOT NULL)"
    );
    let row = transaction
        .query_one(&orphans, &[])
        .map_err(failure("count the taggings"))?;
    changes.taggings_without_tag = u64::try_from(row.get::<_, i64>(0)).unwrap_or(0);
    if has_column(transaction, schema, "tags", "taggings_count")? {
        let sql = format!(
            "UPDATE {tags} SET taggings_count = counted.n
             FROM (SELECT t.id, count({taggings}.id) AS n FROM {tags} t
                   LEFT JOIN {taggings} ON {taggings}.tag_id = t.id GROUP BY t.id) counted
             WHERE counted.id = {tags}.id AND {tags}.taggings_count IS DISTINCT FROM counted.n"
        );
        transaction
            .execute(&sql, &[])
            .map_err(failure("recount tags.taggings_count"))?;
    }
    Ok(())
}

/// Services of CI live in a module of their own in GitLab, and so do their class names.
fn prefix_services(
    transaction: &mut Transaction<'_>,
    schema: &str,
    changes: &mut LiveChanges,
) -> Result<()> {
    if has_column(transaction, schema, "ci_services", "type")? {
        let table = qualified(schema, "ci_services");
        let sql = format!("UPDATE {table} SET type = 'Ci::' || type WHERE type NOT LIKE 'Ci::%'");
        changes.services = transaction
            .execute(&sql, &[])
            .map_err(failure("prefix ci_services.type"))?;
    }
    Ok(())
}

fn has_column(
    transaction: &mut Transaction<'_>,
    schema: &str,
    table: &str,
    column: &str,
) -> Result<bool> {
    let sql = "SELECT EXISTS (
                 SELECT 1 FROM pg_attribute a
                 JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3
                   AND NOT a.attisdropped AND c.relkind IN ('r', 'p'))";
    let row = transaction
        .query_one(sql, &[&schema, &table, &column])
        .map_err(failure("look for the tables of GitLab"))?;
    Ok(row.get(0))
}
