//! The publish transaction.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postgres::{Client, Transaction};

use super::grants;
use super::journal::Journal;
use super::recover::identity;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::load::{STAGING_SCHEMA, Target, failure};
use crate::schema::ddl::{identifier, literal, qualified};
use crate::traces::{BuildsDirectory, StagedDirectory};

/// Where the tables go that were live before.
pub const PREVIOUS_SCHEMA: &str = "ci_import_previous";

/// Marks the schema as ours.
pub(super) const PREVIOUS_COMMENT: &str = "tables replaced by ci-import";

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
    /// The builds directory and what takes its place, if there are traces.
    pub builds: Option<(&'a BuildsDirectory, &'a StagedDirectory)>,
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
    target: &Target,
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
    let create = format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(schema));
    let exists = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)";
    let doing = || failure("make the schema");
    if !transaction
        .query_one(exists, &[&schema])
        .map_err(doing())?
        .get::<_, bool>(0)
    {
        transaction.batch_execute(&create).map_err(doing())?;
    }
    if !replaced.is_empty() {
        drop_previous(&mut transaction)?;
    }
    replace(&mut transaction, publication, &replaced)?;
    let finished = finish(&mut transaction, schema)?;
    let id: i64 = transaction
        .query_one("SELECT txid_current()", &[])
        .map_err(failure("ask for the transaction's number"))?
        .get(0);
    let epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let mut journal = None;
    if let Some((builds, staged)) = publication.builds {
        let database = identity(&mut transaction)?;
        let written = Journal::write(builds, staged, epoch, id, database)?;
        if let Err(error) = written.rename() {
            written.undo()?;
            return Err(error);
        }
        journal = Some(written);
    }
    let previous_builds = journal
        .as_ref()
        .and_then(|journal| journal.previous.clone());
    commit(transaction, target, id, journal)?;
    Ok(Published {
        replaced,
        previous_builds,
        finished,
    })
}

/// Commits, or brings the directories back. When the connection breaks in the middle the server is
/// asked what became of it; if it does not answer, nobody here knows, and nothing is touched.
fn commit(
    transaction: Transaction<'_>,
    target: &Target,
    id: i64,
    journal: Option<Journal>,
) -> Result<()> {
    let committed = transaction.commit();
    let Err(cause) = committed else {
        failpoint::reached("committed");
        return journal.map_or(Ok(()), Journal::complete);
    };
    let status = if cause.as_db_error().is_some() {
        Some("aborted".to_owned())
    } else {
        status_of(target, id)
    };
    match status.as_deref() {
        Some("committed") => return journal.map_or(Ok(()), Journal::complete),
        Some("aborted") => {
            journal.map_or(Ok(()), Journal::undo)?;
            return Err(failure("commit the publish")(cause));
        }
        _ => {}
    }
    let message = format!("the connection was lost while the publish was committed: {cause}");
    let error = Error::new(Kind::CutPublish, message);
    Err(match journal {
        // It stays for the next start.
        Some(_) => error.hint("run ci-import recover as soon as the target is reachable again"),
        None => error.hint(format!("ask the target: SELECT txid_status({id})")),
    })
}

/// What became of the transaction with this number: `committed`, `aborted`, `in progress`.
pub(super) fn status_of(target: &Target, id: i64) -> Option<String> {
    for _ in 0..20 {
        let status = target.connect().ok().and_then(|mut client| {
            let row = client.query_one("SELECT txid_status($1)", &[&id]).ok()?;
            row.get::<_, Option<String>>(0)
        });
        // A backend may need a moment to notice that nobody is there any more.
        if status
            .as_deref()
            .is_some_and(|status| status != "in progress")
        {
            return status;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    None
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
    for name in enum_types(transaction, PREVIOUS_SCHEMA)? {
        sql += &format!("DROP TYPE {}; ", qualified(PREVIOUS_SCHEMA, &name));
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
        own_previous(transaction, schema, &replaced[0])?;
        for table in replaced {
            set_schema(transaction, "TABLE", (schema, table), PREVIOUS_SCHEMA)?;
        }
        let live_types = enum_types(transaction, schema)?;
        let staged_types = enum_types(transaction, STAGING_SCHEMA)?;
        for name in staged_types.iter().filter(|name| live_types.contains(name)) {
            set_schema(transaction, "TYPE", (schema, name), PREVIOUS_SCHEMA)?;
        }
        for sequence in unowned_sequences(transaction, schema)? {
            set_schema(
                transaction,
                "SEQUENCE",
                (schema, &sequence),
                PREVIOUS_SCHEMA,
            )?;
        }
    }
    for table in publication.tables {
        set_schema(transaction, "TABLE", (STAGING_SCHEMA, table), schema)?;
    }
    for name in enum_types(transaction, STAGING_SCHEMA)? {
        set_schema(transaction, "TYPE", (STAGING_SCHEMA, &name), schema)?;
    }
    for rights in rights {
        rights.give(transaction)?;
    }
    let sql = format!("DROP SCHEMA {}", identifier(STAGING_SCHEMA));
    transaction
        .batch_execute(&sql)
        .map_err(failure("drop the empty staging schema"))
}

/// Moves `name`, a table, type or sequence as `kind` says, from its schema to the schema `to`.
fn set_schema(
    transaction: &mut Transaction<'_>,
    kind: &str,
    (from, name): (&str, &str),
    to: &str,
) -> Result<()> {
    let sql = format!(
        "ALTER {kind} {} SET SCHEMA {}",
        qualified(from, name),
        identifier(to)
    );
    transaction
        .batch_execute(&sql)
        .map_err(failure(format!("move {from}.{name} to the schema {to}")))
}

/// Gives the schema for the old tables to the owner of these, who will drop it one day.
fn own_previous(transaction: &mut Transaction<'_>, schema: &str, table: &str) -> Result<()> {
    let sql = "SELECT pg_get_userbyid(c.relowner)::text, pg_get_userbyid(c.relowner) = current_user
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = $2";
    let doing = || failure("make the schema for the old tables");
    let row = transaction
        .query_one(sql, &[&schema, &table])
        .map_err(doing())?;
    if row.get::<_, bool>(1) {
        return Ok(());
    }
    let owner = identifier(&row.get::<_, String>(0));
    let sql = format!(
        "ALTER SCHEMA {} OWNER TO {owner}",
        identifier(PREVIOUS_SCHEMA)
    );
    transaction.batch_execute(&sql).map_err(doing())
}

/// The types of enums in `schema`.
fn enum_types(transaction: &mut Transaction<'_>, schema: &str) -> Result<Vec<String>> {
    let rows = transaction
        .query(
            "SELECT t.typname::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
             WHERE n.nspname = $1 AND t.typtype = 'e' ORDER BY 1",
            &[&schema],
        )
        .map_err(failure("look for types"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
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
