//! The staging schema: created at the start, published or dropped at the end.

use std::time::{Duration, Instant};

use postgres::{Client, GenericClient};

use super::removal::remove_schema;
use super::style::{OF_SCHEMA, STAGING_SCHEMA};
use crate::cancellation::stop;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::schema::sql::identifier;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::options::ConnectionOptions;
use crate::server::postgresql::poolers;
use crate::ui::terminal;

/// The advisory lock that an import holds in its target. The number is arbitrary, but must never change.
const LOCK_KEY: i64 = 0x6369_2d69_6d70_6f72;

/// The beginning of the comment on the schema, which marks it as ours. The record of a staging that is kept follows.
pub(crate) const MARK: &str = "staging of ci-import";

/// The lock that all loading sessions share, and that the creator of the staging schema takes exclusively.
const LOADING_KEY: i64 = LOCK_KEY + 1;

/// The time that the session of an ended import may need to end.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// The staging schema of this import, and the session that holds the target's lock. If it is dropped before
/// the publish, it drops the schema.
pub struct Staging {
    target: ConnectionOptions,
    client: Client,
    holder: LockHolder,
    /// Whether the schema exists and belongs to this import.
    made: bool,
}

/// The server's names for the session that holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockHolder(i32);

impl Staging {
    /// Connects and takes the lock, which only one import at a time can hold.
    pub fn lock(target: &ConnectionOptions) -> Result<Staging> {
        let mut client = target.connect_to_stay()?;
        poolers::refuse(target, &mut client)?;
        client
            // What is staged need not be on a standby; the publish waits for that.
            .batch_execute("SET client_min_messages = warning; SET synchronous_commit = local")
            .map_err(failure("prepare the session"))?;
        take_lock(&mut client, LOCK_KEY)?;
        failpoint::reached("lock taken");
        let canceller = target.canceller(&client);
        stop::cancel_with(move || canceller.cancel());
        let row = client
            .query_one("SELECT pg_backend_pid()", &[])
            .map_err(failure("ask for the session's number"))?;
        Ok(Staging {
            target: target.clone(),
            holder: LockHolder(row.get(0)),
            client,
            made: false,
        })
    }

    /// Creates the schema, after dropping one that an earlier import has left. The locks prove that the
    /// earlier import has ended: its sessions may go on loading after its main session was lost.
    pub fn make(&mut self) -> Result<()> {
        self.refuse_foreign()?;
        take_lock(&mut self.client, LOADING_KEY)?;
        remove_all(&mut self.client)
            .map_err(failure("remove what an earlier import has staged"))?;
        make_schema(&mut self.client, STAGING_SCHEMA)?;
        self.client
            .batch_execute(&format!("SELECT pg_advisory_unlock({LOADING_KEY})"))
            .map_err(failure("create the staging schema"))?;
        self.made = true;
        Ok(())
    }

    /// Refuses a schema with the name of the staging that no import has made. An empty one is nobody's loss.
    pub fn refuse_foreign(&mut self) -> Result<()> {
        let sql = "SELECT EXISTS (
                     SELECT 1 FROM pg_namespace n
                     WHERE n.nspname = $1 AND left(COALESCE(obj_description(n.oid, 'pg_namespace'), ''), length($2)) <> $2
                       AND (EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = n.oid)
                         OR EXISTS (SELECT 1 FROM pg_proc p WHERE p.pronamespace = n.oid)
                         OR EXISTS (SELECT 1 FROM pg_type t WHERE t.typnamespace = n.oid)))";
        let row = self
            .client
            .query_one(sql, &[&STAGING_SCHEMA, &MARK])
            .map_err(failure("look for the staging schema"))?;
        if !row.get::<_, bool>(0) {
            return Ok(());
        }
        Err(Error::target(format!(
            "the target has a schema {STAGING_SCHEMA} that ci-import did not create"
        ))
        .hint("an import loads into a schema with this name: rename the schema, or drop it if it is of ci-import 0.1.0"))
    }

    /// The connection of the session that holds the lock.
    #[must_use]
    pub fn holder(&self) -> LockHolder {
        self.holder
    }

    /// The connection of the session that holds the lock.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &ConnectionOptions {
        &self.target
    }

    /// Marks the schema as published; it no longer exists.
    pub fn published(&mut self) {
        self.made = false;
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.made {
            return;
        }
        failpoint::reached("staging schema to be dropped");
        // After a signal, a server that does not answer is not waited for; one that does may need its time.
        let _ = self.client.batch_execute("");
        let _unhurried = stop::unhurried();
        let remove = |client: &mut Client| {
            client.batch_execute("SET lock_timeout = '60s'")?;
            remove_all(client)
        };
        if remove(&mut self.client).is_ok() {
            failpoint::reached("staging schema dropped");
            return;
        }
        // This session may be lost while the server is still running.
        let again = self
            .target
            .connect()
            .and_then(|mut client| remove(&mut client).map_err(failure("drop the staging schema")));
        if let Err(error) = again {
            terminal::warn(
                Code::StagingRemains,
                &format!(
                    "the schema {STAGING_SCHEMA} was not removed from the target ({error}); the next import \
                 removes it"
                ),
            );
        }
    }
}

/// Creates a staging schema.
pub(super) fn make_schema(client: &mut Client, schema: &str) -> Result<()> {
    let schema = identifier(schema);
    let sql = format!("CREATE SCHEMA {schema}; COMMENT ON SCHEMA {schema} IS '{MARK}'");
    client
        .batch_execute(&sql)
        .map_err(failure(format!("create the staging schema {schema}")))
}

/// The staging schemas beside the first one, of tables that go to several schemas: those that are this user's.
pub(crate) fn schemas_beside(
    client: &mut impl GenericClient,
) -> std::result::Result<Vec<String>, postgres::Error> {
    let sql = "SELECT n.nspname::text FROM pg_namespace n
               WHERE left(n.nspname::text, length($1)) = $1 AND n.nspowner = (
                       SELECT oid FROM pg_roles WHERE rolname = current_user)
                 AND left(COALESCE(obj_description(n.oid, 'pg_namespace'), ''), length($2)) = $2
               ORDER BY 1";
    let beside = format!("{STAGING_SCHEMA}{OF_SCHEMA}");
    let rows = client.query(sql, &[&beside, &MARK])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Removes all staging schemas. The first one is the last to go.
fn remove_all(client: &mut Client) -> std::result::Result<(), postgres::Error> {
    for schema in schemas_beside(client)? {
        remove_schema(client, &schema, MARK)?;
    }
    remove_schema(client, STAGING_SCHEMA, MARK)
}

/// Takes the advisory lock `key`. The session that held it may need a moment to end.
fn take_lock(client: &mut Client, key: i64) -> Result<()> {
    let started = Instant::now();
    loop {
        let locked: bool = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&key])
            .map_err(failure("take the lock of the import"))?
            .get(0);
        if locked {
            return Ok(());
        }
        if started.elapsed() > LOCK_PATIENCE {
            return Err(held_by_another(client, key));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Makes `client` a loading session of `holder`: while it exists, nobody else can create the staging schema.
/// An error if the holder has ended.
pub(crate) fn join(client: &mut Client, holder: LockHolder) -> Result<()> {
    let sql = "SELECT pg_try_advisory_lock_shared($1) AND EXISTS (
                 SELECT 1 FROM pg_locks
                 WHERE locktype = 'advisory' AND granted AND pid = $3
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND (classid::bigint << 32 | objid::bigint) = $2)";
    let row = client
        .query_one(sql, &[&LOADING_KEY, &LOCK_KEY, &holder.0])
        .map_err(failure("share the lock of the import"))?;
    if row.get(0) {
        return Ok(());
    }
    Err(
        Error::target("the session with the lock of the import has ended")
            .hint("look at the target server's log, then run it again"),
    )
}

fn held_by_another(client: &mut Client, key: i64) -> Error {
    let sql = "SELECT a.pid, a.usename::text, COALESCE(host(a.client_addr), 'the local socket')
               FROM pg_locks l JOIN pg_stat_activity a USING (pid)
               WHERE l.locktype = 'advisory' AND l.granted
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND (l.classid::bigint << 32 | l.objid::bigint) = $1";
    let holder = client
        .query(sql, &[&key])
        .ok()
        .and_then(|rows| rows.into_iter().next())
        .map_or_else(String::new, |row| {
            let (pid, user): (i32, Option<String>) = (row.get(0), row.get(1));
            let from: String = row.get(2);
            let user = user.unwrap_or_default();
            format!(" (server process {pid}, user {user}, from {from})")
        });
    Error::target(format!(
        "another import into this database is running{holder}"
    ))
    .hint("wait until it has ended, then run it again")
}
