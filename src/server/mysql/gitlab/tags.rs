//! CI's tags in GitLab: a publish merges them into GitLab's own, a rollback exchanges them.
//!
//! The collation of `tags.name` decides which names are the same tag. It may not distinguish `Ruby` from `ruby`,
//! and the unique index would not take both. CI's tags may have another character set and collation. So
//! their names first go into a table with GitLab's collation, which maps each tag of CI to a tag of GitLab.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::engine::refuse_without_transactions;
use crate::error::Result;
use crate::error::codes::Code;
use crate::failpoint;
use crate::gitlab::live::MergedTags;
use crate::gitlab::tags::{NEEDED_OF_CI, NEEDED_OF_GITLAB, TAGGINGS, TAGS, taggings_of_ci};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::publish::catalog::has_column;
use crate::server::mysql::publish::{kept, kept_before, scratch};
use crate::server::mysql::sql::qualified;
use crate::ui::terminal;

/// The type that GitLab has for the tagging `ci` of CI.
const TYPE: &str = "CASE WHEN ci.taggable_type LIKE 'Ci::%' THEN ci.taggable_type
                         ELSE CONCAT('Ci::', ci.taggable_type) END";

/// Creates the tables for what is kept and for the names of CI's tags, if there is something to merge. Returns
/// whether there is.
pub(super) fn prepare(conn: &mut Conn, databases: &Databases) -> Result<bool> {
    let Databases {
        live,
        staging,
        passing,
        ..
    } = databases;
    for (table, column) in NEEDED_OF_GITLAB {
        if !has_column(conn, live, table, column)? {
            return Ok(false);
        }
    }
    for (table, column) in NEEDED_OF_CI {
        // What is not staged stays.
        let is_there =
            has_column(conn, staging, table, column)? || has_column(conn, live, table, column)?;
        if !is_there {
            return Ok(false);
        }
    }
    for table in [TAGS, TAGGINGS] {
        refuse_without_transactions(conn, live, table)?;
        create_like(conn, passing, &kept(table), &qualified(live, table))?;
    }
    let name = NameColumn::of(conn, live)?;
    let (characters, charset, collation) = (name.characters, name.charset, name.collation);
    conn.query_drop(format!(
        "CREATE TABLE {names} (
           ci_id BIGINT PRIMARY KEY, tag_id BIGINT, is_new BOOLEAN NOT NULL DEFAULT FALSE,
           name VARCHAR({characters}) CHARACTER SET {charset} COLLATE {collation} NOT NULL,
           INDEX (name({indexed})), INDEX (tag_id)) ENGINE=InnoDB",
        names = names(databases),
        indexed = characters.min(64)
    ))
    .map_err(failure("merge the tags"))?;
    failpoint::reached("tables for the tags made");
    Ok(true)
}

/// The type of `tags.name`.
struct NameColumn {
    /// The longest name, in characters.
    characters: u64,
    charset: String,
    collation: String,
}

impl NameColumn {
    fn of(conn: &mut Conn, database: &str) -> Result<NameColumn> {
        let found: Option<(Option<u64>, Option<String>, Option<String>)> = conn
            .exec_first(
                "SELECT character_maximum_length, character_set_name, collation_name
                 FROM information_schema.columns
                 WHERE table_schema = ? AND table_name = ? AND column_name = 'name'",
                (database, TAGS),
            )
            .map_err(failure("look for the tables of GitLab"))?;
        let (characters, charset, collation) = found.unwrap_or_default();
        Ok(NameColumn {
            // More characters of four bytes would not fit into a row.
            characters: characters.unwrap_or(255).clamp(1, 4000),
            charset: charset.unwrap_or_else(|| "utf8mb4".to_owned()),
            collation: collation.unwrap_or_else(|| "utf8mb4_bin".to_owned()),
        })
    }
}

fn names(databases: &Databases) -> String {
    qualified(&databases.passing, &scratch("names"))
}

fn create_like(conn: &mut Conn, database: &str, name: &str, model: &str) -> Result<()> {
    let table = qualified(database, name);
    conn.query_drop(format!("CREATE TABLE {table} LIKE {model}"))
        .map_err(failure("keep the tags"))?;
    failpoint::reached("table for kept rows made");
    Ok(())
}

/// Runs a statement and counts the rows it changes.
fn execute(conn: &mut Conn, doing: &str, sql: &str) -> Result<u64> {
    conn.query_drop(sql).map_err(failure(doing))?;
    failpoint::reached("tags being changed");
    Ok(conn.affected_rows())
}

/// Locks all tags and taggings, including rows that other sessions are about to add.
fn lock(conn: &mut Conn, database: &str) -> Result<()> {
    for table in [TAGS, TAGGINGS] {
        let table = qualified(database, table);
        // The result is read to its end: an error may follow its head.
        let sql = format!("SELECT COUNT(*) FROM {table} FOR UPDATE");
        let counted: std::result::Result<Option<u64>, _> = conn.query_first(sql);
        counted.map_err(|cause| {
            failure("lock the tags")(cause)
                .hint("somebody holds them; stop GitLab and its jobs, then run it again")
        })?;
    }
    failpoint::reached("tags locked");
    Ok(())
}

/// Merges CI's tags and taggings into GitLab's. Tags are merged by name; the taggings of builds and runners are
/// rewritten. Taggings of anything else, such as projects, are not touched.
pub(super) fn merge(conn: &mut Conn, databases: &Databases) -> Result<MergedTags> {
    let Databases { live, previous, .. } = databases;
    lock(conn, live)?;
    let name = |table: &str| qualified(live, table);
    let (tags, taggings, ci_tags, ci_taggings) = (
        name(TAGS),
        name(TAGGINGS),
        name("ci_tags"),
        name("ci_taggings"),
    );
    let names = names(databases);
    let mut execute = |sql: &str| execute(conn, "merge the tags", sql);
    execute(&format!(
        "INSERT INTO {names} (ci_id, name)
         SELECT id, name FROM {ci_tags} WHERE name IS NOT NULL"
    ))?;
    let find = format!(
        "UPDATE {names} n SET tag_id = (SELECT MIN(t.id) FROM {tags} t WHERE t.name = n.name)
         WHERE tag_id IS NULL"
    );
    execute(&find)?;
    execute(&format!(
        "UPDATE {names} SET is_new = TRUE WHERE tag_id IS NULL"
    ))?;
    // Of names that are equal in this collation, the first.
    let new_tags = execute(&format!(
        "INSERT INTO {tags} (name)
         SELECT n.name FROM {names} n
         JOIN (SELECT MIN(ci_id) AS ci_id FROM {names} WHERE is_new GROUP BY name) first
           ON first.ci_id = n.ci_id
         ORDER BY n.ci_id"
    ))?;
    execute(&find)?;
    // What a rollback needs: the tags that come, the taggings that go.
    execute(&format!(
        "INSERT INTO {kept} SELECT * FROM {tags}
         WHERE id IN (SELECT tag_id FROM {names} WHERE is_new)",
        kept = qualified(previous, &kept(TAGS))
    ))?;
    let theirs = of_ci(std::slice::from_ref(&ci_taggings));
    execute(&keep_taggings(databases, &theirs))?;
    execute(&format!("DELETE FROM {taggings} WHERE {theirs}"))?;
    // Where two tags of CI have become one, equal taggings are written once.
    let written = execute(&format!(
        "INSERT INTO {taggings}
           (tag_id, taggable_id, taggable_type, tagger_id, tagger_type, context, created_at)
         SELECT n.tag_id, ci.taggable_id, {TYPE}, ci.tagger_id, ci.tagger_type,
                COALESCE(ci.context, 'tags'), ci.created_at
         FROM {ci_taggings} ci JOIN {names} n ON n.ci_id = ci.tag_id
         JOIN (SELECT MIN(c.id) AS id FROM {ci_taggings} c JOIN {names} m ON m.ci_id = c.tag_id
               GROUP BY m.tag_id, c.taggable_id, c.taggable_type, c.context, c.tagger_id,
                        c.tagger_type) first ON first.id = ci.id
         ORDER BY ci.id"
    ))?;
    let without_tag: Option<u64> = conn
        .query_first(format!(
            "SELECT COUNT(*) FROM {ci_taggings} ci
             LEFT JOIN {names} n ON n.ci_id = ci.tag_id WHERE n.ci_id IS NULL"
        ))
        .map_err(failure("count the taggings"))?;
    recount(conn, live)?;
    Ok(MergedTags {
        taggings: written,
        new_tags,
        taggings_without_tag: without_tag.unwrap_or_default(),
    })
}

/// Gives the server statistics of the merged tables, so that GitLab's first queries are planned well.
pub fn analyze(conn: &mut Conn, database: &str) {
    let (tags, taggings) = (qualified(database, TAGS), qualified(database, TAGGINGS));
    if let Err(cause) = conn.query_drop(format!("ANALYZE LOCAL TABLE {tags}, {taggings}")) {
        // The import is published.
        terminal::warn(
            Code::NotAnalyzed,
            &failure("analyze the tags")(cause).to_string(),
        );
    }
}

/// The condition for CI's taggings. Their contexts may have another collation. The derived table is made once: else the server
/// reads the whole table for each row.
fn of_ci(contexts: &[String]) -> String {
    taggings_of_ci(contexts, |table| {
        format!(
            "CONVERT(context USING utf8mb4) COLLATE utf8mb4_bin IN (SELECT name FROM
                   (SELECT DISTINCT CONVERT(context USING utf8mb4) AS name FROM {table}) contexts)"
        )
    })
}

fn keep_taggings(databases: &Databases, which: &str) -> String {
    let kept = qualified(&databases.previous, &kept(TAGGINGS));
    let taggings = qualified(&databases.live, TAGGINGS);
    format!("INSERT INTO {kept} SELECT * FROM {taggings} WHERE {which}")
}

/// Recounts the taggings of each tag, if a column holds that number.
fn recount(conn: &mut Conn, database: &str) -> Result<()> {
    if !has_column(conn, database, TAGS, "taggings_count")? {
        return Ok(());
    }
    let (tags, taggings) = (qualified(database, TAGS), qualified(database, TAGGINGS));
    conn.query_drop(format!(
        "UPDATE {tags} t
         LEFT JOIN (SELECT tag_id, COUNT(*) AS n FROM {taggings} GROUP BY tag_id) counted
           ON counted.tag_id = t.id
         SET t.taggings_count = COALESCE(counted.n, 0)
         WHERE NOT t.taggings_count <=> COALESCE(counted.n, 0)"
    ))
    .map_err(failure("recount tags.taggings_count"))
}

/// Creates the tables for what an exchange keeps, if the former publish has kept something.
pub(super) fn prepare_exchange(conn: &mut Conn, databases: &Databases) -> Result<()> {
    let Databases {
        previous, passing, ..
    } = databases;
    if !has_column(conn, previous, &kept(TAGGINGS), "taggable_type")? {
        return Ok(());
    }
    for table in [TAGS, TAGGINGS] {
        refuse_without_transactions(conn, &databases.live, table)?;
        let name = kept(table);
        create_like(conn, passing, &name, &qualified(previous, &name))?;
    }
    conn.query_drop(format!(
        "CREATE TABLE {} (id BIGINT PRIMARY KEY) ENGINE=InnoDB",
        present(databases)
    ))
    .map_err(failure("keep the tags"))
}

/// The table with the ids of tags that existed before an exchange and may have to be deleted.
fn present(databases: &Databases) -> String {
    qualified(&databases.passing, &scratch("present"))
}

/// Exchanges CI's taggings for those that the former publish has kept. Tags that only one of the two has come
/// and go with them, except tags that other taggings use by now.
pub(super) fn exchange(conn: &mut Conn, databases: &Databases) -> Result<()> {
    let Databases {
        live,
        previous,
        passing,
        ..
    } = databases;
    if !has_column(conn, passing, &kept_before(TAGGINGS), "taggable_type")? {
        return Ok(());
    }
    lock(conn, live)?;
    let (tags, taggings) = (qualified(live, TAGS), qualified(live, TAGGINGS));
    let from = |table: &str| qualified(passing, &kept_before(table));
    let (from_tags, from_taggings) = (from(TAGS), from(TAGGINGS));
    let mut contexts = vec![from_taggings.clone()];
    // The tables of the import that is rolled back have been moved already.
    if has_column(conn, previous, "ci_taggings", "context")? {
        contexts.push(qualified(previous, "ci_taggings"));
    }
    let theirs = of_ci(&contexts);
    let to_tags = qualified(previous, &kept(TAGS));
    let present = present(databases);
    for sql in [
        format!("INSERT INTO {to_tags} SELECT * FROM {from_tags}"),
        format!(
            "INSERT INTO {present} SELECT t.id FROM {tags} t JOIN {from_tags} k ON k.id = t.id"
        ),
        format!(
            "INSERT INTO {tags} SELECT k.* FROM {from_tags} k
             LEFT JOIN {tags} t ON t.id = k.id LEFT JOIN {tags} u ON u.name = k.name
             WHERE t.id IS NULL AND u.id IS NULL"
        ),
        keep_taggings(databases, &theirs),
        format!("DELETE FROM {taggings} WHERE {theirs}"),
        format!("INSERT INTO {taggings} SELECT * FROM {from_taggings}"),
        format!(
            "DELETE FROM {tags} WHERE id IN (SELECT id FROM {present})
               AND NOT EXISTS (SELECT 1 FROM {taggings} u WHERE u.tag_id = {tags}.id)"
        ),
    ] {
        execute(conn, "bring the tags back", &sql)?;
    }
    recount(conn, live)
}

/// How many of CI's tags GitLab does not have. GitLab's collation decides which names are equal.
pub(super) fn missing_tags(conn: &mut Conn, database: &str) -> Result<i64> {
    let NameColumn {
        charset, collation, ..
    } = NameColumn::of(conn, database)?;
    let (tags, ci_tags) = (qualified(database, TAGS), qualified(database, "ci_tags"));
    let missing: Option<i64> = conn
        .query_first(format!(
            "SELECT COUNT(*) FROM {ci_tags} c WHERE c.name IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM {tags} g
               WHERE g.name = CONVERT(c.name USING {charset}) COLLATE {collation})"
        ))
        .map_err(failure("compare the tags"))?;
    Ok(missing.unwrap_or_default())
}

/// How many of CI's taggings that have a tag GitLab does not have; none if the target lacks the tables for
/// them.
pub fn missing_taggings(conn: &mut Conn, database: &str) -> Result<Option<i64>> {
    for (table, column) in NEEDED_OF_GITLAB.iter().chain(&NEEDED_OF_CI) {
        if !has_column(conn, database, table, column)? {
            return Ok(None);
        }
    }
    let NameColumn {
        charset, collation, ..
    } = NameColumn::of(conn, database)?;
    let name = |table: &str| qualified(database, table);
    let exactly = |text: &str| format!("CONVERT({text} USING utf8mb4) COLLATE utf8mb4_bin");
    let sql = format!(
        "SELECT COUNT(*) FROM {ci_taggings} ci JOIN {ci_tags} c ON c.id = ci.tag_id
         WHERE c.name IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM {taggings} t JOIN {tags} g ON g.id = t.tag_id
           WHERE g.name = CONVERT(c.name USING {charset}) COLLATE {collation}
             AND t.taggable_id <=> ci.taggable_id
             AND {their_type} = {our_type} AND {their_context} = {our_context})",
        ci_taggings = name("ci_taggings"),
        ci_tags = name("ci_tags"),
        taggings = name(TAGGINGS),
        tags = name(TAGS),
        their_type = exactly("t.taggable_type"),
        our_type = exactly(TYPE),
        their_context = exactly("t.context"),
        our_context = exactly("COALESCE(ci.context, 'tags')"),
    );
    conn.query_first(sql)
        .map_err(failure("compare the taggings"))
}
