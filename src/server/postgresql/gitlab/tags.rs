//! CI's tags in GitLab: a publish merges them into GitLab's own, a rollback exchanges them. Rows that are kept
//! are in tables of the same names.

use postgres::{Client, GenericClient, Transaction};

use super::columns::has_column;
use crate::error::Result;
use crate::error::codes::Code;
use crate::failpoint;
use crate::gitlab::live::MergedTags;
use crate::gitlab::tags::{NEEDED_OF_CI, NEEDED_OF_GITLAB, TAGGINGS, TAGS, taggings_of_ci};
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::load::STAGING_SCHEMA;
use crate::server::postgresql::publish::PREVIOUS_SCHEMA;
use crate::ui::terminal;

/// Merges CI's tags and taggings into GitLab's, before the staged tables are moved. Tags are merged by name; the taggings
/// of builds and runners are rewritten. Taggings of anything else, such as projects, are not touched.
pub(super) fn merge(transaction: &mut Transaction<'_>, schema: &str) -> Result<Option<MergedTags>> {
    for (table, column) in NEEDED_OF_GITLAB {
        if !has_column(transaction, schema, table, column)? {
            return Ok(None);
        }
    }
    let mut of_ci_tables = Vec::new();
    for (table, column) in NEEDED_OF_CI {
        // What is not staged stays.
        if has_column(transaction, STAGING_SCHEMA, table, column)? {
            of_ci_tables.push(qualified(STAGING_SCHEMA, table));
        } else if has_column(transaction, schema, table, column)? {
            of_ci_tables.push(qualified(schema, table));
        } else {
            return Ok(None);
        }
    }
    let [ci_tags, ci_taggings] = of_ci_tables.as_slice() else {
        return Ok(None);
    };
    let name = |table: &str| qualified(schema, table);
    let (tags, taggings) = (name("tags"), name("taggings"));
    let mut execute = |sql: &str| {
        let done = transaction
            .execute(sql, &[])
            .map_err(failure("merge the tags"));
        failpoint::reached("tags being merged");
        done
    };
    // Nobody else may add the same tag meanwhile.
    execute(&format!(
        "LOCK TABLE {tags}, {taggings} IN SHARE ROW EXCLUSIVE MODE"
    ))?;
    // What a rollback needs: the tags that come, the taggings that go.
    let kept_tags = qualified(PREVIOUS_SCHEMA, TAGS);
    execute(&format!(
        "CREATE TABLE {kept_tags} AS TABLE {tags} WITH NO DATA"
    ))?;
    // In the order of CI's tags, as GitLab's own ci:migrate numbers them.
    let new_tags = execute(&format!(
        "WITH inserted AS (
           INSERT INTO {tags} (name)
           SELECT ci.name FROM {ci_tags} ci
           WHERE ci.name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {tags} t WHERE t.name = ci.name)
           GROUP BY ci.name ORDER BY min(ci.id) RETURNING *)
         INSERT INTO {kept_tags} SELECT * FROM inserted"
    ))?;
    let theirs = of_ci(std::slice::from_ref(ci_taggings));
    execute(&keep_taggings(schema, PREVIOUS_SCHEMA, &theirs))?;
    execute(&format!("DELETE FROM {taggings} WHERE {theirs}"))?;
    let taggings_written = execute(&format!(
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
    // A tag may share its name with another only by letter case; what joins to none is an orphan.
    let orphans = format!(
        "SELECT count(*) FROM {ci_taggings} ci
         WHERE NOT EXISTS (SELECT 1 FROM {ci_tags} WHERE {ci_tags}.id = ci.tag_id
                           AND {ci_tags}.name IS NOT NULL)"
    );
    let row = transaction
        .query_one(&orphans, &[])
        .map_err(failure("count the taggings"))?;
    recount(transaction, schema)?;
    Ok(Some(MergedTags {
        taggings: taggings_written,
        new_tags,
        taggings_without_tag: u64::try_from(row.get::<_, i64>(0)).unwrap_or(0),
    }))
}

/// Gives the server statistics of the merged tables, so that GitLab's first queries are planned well.
pub(crate) fn analyze(client: &mut Client, schema: &str) {
    let (tags, taggings) = (qualified(schema, TAGS), qualified(schema, TAGGINGS));
    for table in [tags, taggings] {
        if let Err(cause) = client.batch_execute(&format!("ANALYZE {table}")) {
            // The import is published.
            let error = failure(format!("analyze {table}"))(cause);
            terminal::warn(Code::NotAnalyzed, &error.to_string());
        }
    }
}

/// The condition for CI's taggings.
fn of_ci(contexts: &[String]) -> String {
    taggings_of_ci(contexts, |table| {
        // Few of many rows: a plan that fits into memory.
        format!("context IN (SELECT DISTINCT context FROM {table})")
    })
}

/// Whether `schema` has all tables of GitLab's and CI's tags.
fn has_tables(transaction: &mut Transaction<'_>, schema: &str) -> Result<bool> {
    for (table, column) in NEEDED_OF_GITLAB.into_iter().chain(NEEDED_OF_CI) {
        if !has_column(transaction, schema, table, column)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn keep_taggings(schema: &str, to: &str, which: &str) -> String {
    let (taggings, kept) = (qualified(schema, TAGGINGS), qualified(to, TAGGINGS));
    format!("CREATE TABLE {kept} AS SELECT * FROM {taggings} WHERE {which}")
}

/// Recounts the taggings of each tag, if a column holds that number.
fn recount(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    if !has_column(transaction, schema, TAGS, "taggings_count")? {
        return Ok(());
    }
    let (tags, taggings) = (qualified(schema, TAGS), qualified(schema, TAGGINGS));
    let sql = format!(
        "UPDATE {tags} SET taggings_count = counted.n
         FROM (SELECT t.id, count({taggings}.id) AS n FROM {tags} t
               LEFT JOIN {taggings} ON {taggings}.tag_id = t.id GROUP BY t.id) counted
         WHERE counted.id = {tags}.id AND {tags}.taggings_count IS DISTINCT FROM counted.n"
    );
    transaction
        .batch_execute(&sql)
        .map_err(failure("recount tags.taggings_count"))
}

/// Exchanges CI's taggings for those in the schema `from`. Tags that only one of the two has come and go with
/// them, except tags that other taggings use by now.
pub(super) fn exchange(
    transaction: &mut Transaction<'_>,
    schema: &str,
    from: &str,
    to: &str,
) -> Result<()> {
    if !has_column(transaction, from, TAGGINGS, "taggable_type")? {
        return Ok(());
    }
    let (tags, taggings) = (qualified(schema, TAGS), qualified(schema, TAGGINGS));
    let (kept_tags, kept_taggings) = (qualified(from, TAGS), qualified(from, TAGGINGS));
    let mut contexts = vec![kept_taggings.clone()];
    if has_column(transaction, schema, "ci_taggings", "context")? {
        contexts.push(qualified(schema, "ci_taggings"));
    }
    let theirs = of_ci(&contexts);
    let doing = || failure("bring the tags back");
    transaction
        .batch_execute(&format!(
            "LOCK TABLE {tags}, {taggings} IN SHARE ROW EXCLUSIVE MODE;
             CREATE TABLE {next_tags} AS TABLE {kept_tags}",
            next_tags = qualified(to, TAGS)
        ))
        .map_err(doing())?;
    let present = format!("SELECT id::bigint FROM {tags} WHERE id IN (SELECT id FROM {kept_tags})");
    let present = transaction.query(&present, &[]).map_err(doing())?;
    let present: Vec<i64> = present.iter().map(|row| row.get(0)).collect();
    transaction
        .batch_execute(&format!(
            "INSERT INTO {tags} SELECT * FROM {kept_tags} kept
             WHERE NOT EXISTS (SELECT 1 FROM {tags} t WHERE t.id = kept.id)
               AND NOT EXISTS (SELECT 1 FROM {tags} t WHERE t.name = kept.name);
             {keep};
             DELETE FROM {taggings} WHERE {theirs};
             INSERT INTO {taggings} SELECT * FROM {kept_taggings}",
            keep = keep_taggings(schema, to, &theirs)
        ))
        .map_err(doing())?;
    let unused = format!(
        "DELETE FROM {tags} t USING unnest($1::bigint[]) AS present (id) WHERE t.id = present.id
           AND NOT EXISTS (SELECT 1 FROM {taggings} WHERE tag_id = t.id)"
    );
    transaction.execute(&unused, &[&present]).map_err(doing())?;
    recount(transaction, schema)
}

/// How many of CI's taggings that have a tag GitLab does not have; none if the target lacks the tables for
/// them.
pub fn missing_taggings(client: &mut impl GenericClient, schema: &str) -> Result<Option<i64>> {
    let doing = || failure("compare the taggings");
    let mut transaction = client.transaction().map_err(doing())?;
    if !has_tables(&mut transaction, schema)? {
        return Ok(None);
    }
    let name = |table: &str| qualified(schema, table);
    // Every condition is an equality, so that the server can hash all of them: many taggings have the same tag.
    let sql = format!(
        "SELECT count(*) FROM {ci_taggings} ci JOIN {ci_tags} ON {ci_tags}.id = ci.tag_id
         WHERE {ci_tags}.name IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM {taggings} t JOIN {tags} ON {tags}.id = t.tag_id
           WHERE {tags}.name = {ci_tags}.name
             AND COALESCE(t.taggable_id::text, '') = COALESCE(ci.taggable_id::text, '')
             AND t.taggable_type = CASE WHEN ci.taggable_type LIKE 'Ci::%' THEN ci.taggable_type
                                        ELSE 'Ci::' || ci.taggable_type END
             AND t.context = COALESCE(ci.context, 'tags'))",
        ci_taggings = name("ci_taggings"),
        ci_tags = name("ci_tags"),
        taggings = name(TAGGINGS),
        tags = name(TAGS)
    );
    let row = transaction.query_one(&sql, &[]).map_err(doing())?;
    Ok(Some(row.get(0)))
}
