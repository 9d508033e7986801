//! The publish transaction.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use postgres::{Client, Transaction};

use super::directories::{self, Swapped};
use super::grants;
use crate::error::{Error, Kind, Result};
use crate::load::{STAGING_SCHEMA, failure};
use crate::schema::ddl::{identifier, literal, qualified};
use crate::traces::{BuildsDirectory, StagedDirectory};

/// Where the tables go that were live before.
pub const PREVIOUS_SCHEMA: &str = "ci_import_previous";

/// Marks the schema as ours.
const PREVIOUS_COMMENT: &str = "tables replaced by ci-import";

/// How long others may hold the live tables before the publish gives up.
const LOCK_TIMEOUT: &str = "15s";

/// Something done in the publish's transaction; it gets the live schema's name.
pub type Step<'a, T> = &'a mut dyn FnMut(&mut Transaction<'_>, &str) -> Result<T>;

/// What is to be published.
pub struct Publication<'a> {
    /// The schema the tables go to.
    pub schema: &'a str,
    /// The staged tables.
    pub tables: &'a [&'a str],
    /// The builds directory.
    pub builds: &'a BuildsDirectory,
    /// What takes its place.
    pub staged: &'a StagedDirectory,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published<T> {
    /// The tables that were live before, and are in [`PREVIOUS_SCHEMA`] now.
    pub replaced: Vec<String>,
    /// Where the old builds directory is now, if there was one.
    pub previous_builds: Option<PathBuf>,
    /// What the last step returned.
    pub finished: T,
}

/// Publishes: all of it, or nothing. `before` is done when the live tables are locked, `finish`
/// when the staged ones are in their place; both in the same transaction.
pub fn publish<T>(
    client: &mut Client,
    publication: &Publication<'_>,
    before: Step<'_, ()>,
    finish: Step<'_, T>,
) -> Result<Published<T>> {
    let mut transaction = client.transaction().map_err(failure("begin to publish"))?;
    let schema = publication.schema;
    transaction
        .batch_execute(&format!(
            "SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL synchronous_commit = on"
        ))
        .map_err(failure("begin to publish"))?;
    let replaced = lock_live(&mut transaction, schema, publication.tables)?;
    before(&mut transaction, schema)?;
    drop_previous(&mut transaction)?;
    replace(&mut transaction, publication, &replaced)?;
    let finished = finish(&mut transaction, schema)?;
    let id: i64 = transaction
        .query_one("SELECT txid_current()", &[])
        .map_err(failure("ask for the transaction's number"))?
        .get(0);
    let epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let swapped = directories::swap(publication.builds, publication.staged, epoch)?;
    commit(transaction, id, &swapped)?;
    Ok(Published {
        replaced,
        previous_builds: swapped.previous,
        finished,
    })
}

/// Commits, or brings the directories back. When the connection breaks in the middle nobody here
/// knows which of both is right, and nothing is touched.
fn commit(transaction: Transaction<'_>, id: i64, swapped: &Swapped) -> Result<()> {
    let Err(cause) = transaction.commit() else {
        return Ok(());
    };
    if cause.as_db_error().is_some() {
        swapped.undo()?;
        return Err(failure("commit the publish")(cause));
    }
    let previous = swapped.previous.as_ref().map_or_else(
        || "there was none before".to_owned(),
        |path| format!("the old one is {}", path.display()),
    );
    Err(Error::new(
        Kind::CutPublish,
        format!(
            "the connection was lost while the publish was committed: {cause}; the new builds \
             directory is in place ({previous})"
        ),
    )
    .hint(format!(
        "ask the target: SELECT txid_status({id}); if it says \"aborted\", rename the builds \
         directories back"
    )))
}

/// Locks those of `tables` that are live; returns their names.
fn lock_live(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<Vec<String>> {
    let rows = transaction
        .query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind = 'r' ORDER BY 1",
            &[&schema, &tables],
        )
        .map_err(failure("look for the live tables"))?;
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if !names.is_empty() {
        let list: Vec<String> = names.iter().map(|name| qualified(schema, name)).collect();
        let sql = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", list.join(", "));
        transaction.batch_execute(&sql).map_err(|cause| {
            failure("lock the live tables")(cause)
                .hint("somebody holds them; stop GitLab and its jobs, then run it again")
        })?;
    }
    Ok(names)
}

/// Drops the tables that an earlier import replaced, if they are still there.
fn drop_previous(transaction: &mut Transaction<'_>) -> Result<()> {
    let found = transaction
        .query_opt(
            "SELECT COALESCE(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace
             WHERE nspname = $1",
            &[&PREVIOUS_SCHEMA],
        )
        .map_err(failure("look for the tables of the import before"))?;
    let Some(found) = found else {
        return Ok(());
    };
    if found.get::<_, String>(0) != PREVIOUS_COMMENT {
        return Err(Error::target(format!(
            "the target has a schema {PREVIOUS_SCHEMA} that is not ours"
        ))
        .hint("rename it: the replaced tables are kept in a schema of that name"));
    }
    let rows = transaction
        .query(
            "SELECT c.relkind::text, c.relname::text FROM pg_class c JOIN pg_namespace n
             ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'",
            &[&PREVIOUS_SCHEMA],
        )
        .map_err(failure("look for the tables of the import before"))?;
    let tables: Vec<String> = rows
        .iter()
        .map(|row| qualified(PREVIOUS_SCHEMA, &row.get::<_, String>(1)))
        .collect();
    let mut sql = String::new();
    if !tables.is_empty() {
        sql = format!("DROP TABLE {}; ", tables.join(", "));
    }
    let sequences = transaction
        .query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relkind = 'S'
               AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid
                               AND d.classid = 'pg_class'::regclass AND d.deptype = 'a')",
            &[&PREVIOUS_SCHEMA],
        )
        .map_err(failure("look for the sequences of the import before"))?;
    for row in sequences {
        sql += &format!("DROP SEQUENCE {}; ", qualified(PREVIOUS_SCHEMA, row.get(0)));
    }
    sql += &format!("DROP SCHEMA {}", identifier(PREVIOUS_SCHEMA));
    transaction
        .batch_execute(&sql)
        .map_err(failure("drop the tables of the import before"))
}

/// Moves the live tables aside and the staged ones in their place, with the same rights.
fn replace(
    transaction: &mut Transaction<'_>,
    publication: &Publication<'_>,
    replaced: &[String],
) -> Result<()> {
    let schema = publication.schema;
    let live = identifier(schema);
    let previous = identifier(PREVIOUS_SCHEMA);
    let mut rights = Vec::new();
    if !replaced.is_empty() {
        let sql = format!(
            "CREATE SCHEMA {previous}; COMMENT ON SCHEMA {previous} IS {}",
            literal(PREVIOUS_COMMENT)
        );
        transaction
            .batch_execute(&sql)
            .map_err(failure("make the schema for the old tables"))?;
        let names = replaced
            .iter()
            .cloned()
            .chain(staged_sequences(transaction)?);
        for name in names {
            rights.push(grants::read(transaction, schema, &name)?);
        }
        for table in replaced {
            let sql = format!(
                "ALTER TABLE {} SET SCHEMA {previous}",
                qualified(schema, table)
            );
            transaction
                .batch_execute(&sql)
                .map_err(failure(format!("move {table} aside")))?;
        }
        for sequence in unowned_sequences(transaction, schema)? {
            let name = qualified(schema, &sequence);
            let sql = format!("ALTER SEQUENCE {name} SET SCHEMA {previous}");
            transaction
                .batch_execute(&sql)
                .map_err(failure(format!("move {sequence} aside")))?;
        }
    }
    for table in publication.tables {
        let sql = format!(
            "ALTER TABLE {} SET SCHEMA {live}",
            qualified(STAGING_SCHEMA, table)
        );
        transaction
            .batch_execute(&sql)
            .map_err(failure(format!("move {table} into place")))?;
    }
    for rights in rights {
        rights.give(transaction)?;
    }
    let sql = format!("DROP SCHEMA {}", identifier(STAGING_SCHEMA));
    transaction
        .batch_execute(&sql)
        .map_err(failure("drop the empty staging schema"))
}

fn staged_sequences(transaction: &mut Transaction<'_>) -> Result<Vec<String>> {
    let rows = transaction
        .query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relkind = 'S' ORDER BY 1",
            &[&STAGING_SCHEMA],
        )
        .map_err(failure("look for the staged sequences"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Sequences that no column owns stay behind when their table moves, as in every database that
/// the old converter has made; they would be in the way of the new ones.
fn unowned_sequences(transaction: &mut Transaction<'_>, schema: &str) -> Result<Vec<String>> {
    let rows = transaction
        .query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relkind = 'S' AND c.relname IN (
               SELECT s.relname FROM pg_class s JOIN pg_namespace m ON m.oid = s.relnamespace
               WHERE m.nspname = $2 AND s.relkind = 'S')
             ORDER BY 1",
            &[&schema, &STAGING_SCHEMA],
        )
        .map_err(failure("look for sequences that are in the way"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
