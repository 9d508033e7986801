//! The staging database: created at the start, published or dropped at the end.

use std::time::{Duration, Instant};

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::cancellation::stop;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::options::ConnectionOptions;
use crate::server::mysql::sql::{identifier, literal, qualified};
use crate::ui::terminal;

/// The table that marks the staging database as ours: databases of MySQL have no comments.
const MARK_TABLE: &str = "ci_import_mark";

/// The comment of that table.
const MARK: &str = "staging of ci-import";

/// The time that the session of an ended import may need to end.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// The staging database of this import, and the session that holds the target's lock. If it is dropped before
/// the publish, it drops the database.
pub struct Staging {
    target: ConnectionOptions,
    connection: Conn,
    databases: Databases,
    holder: LockHolder,
    /// Whether the database exists and belongs to this import.
    made: bool,
}

/// The server's number of the session that holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockHolder(u32);

impl Staging {
    /// Connects and takes the lock, which only one import at a time can hold.
    pub fn lock(target: &ConnectionOptions) -> Result<Staging> {
        let databases = Databases::of(target.database())?;
        let mut connection = target.connect()?;
        let sql = format!(
            "SELECT GET_LOCK({}, {})",
            lock_name(&databases),
            LOCK_PATIENCE.as_secs()
        );
        let locked: Option<Option<i64>> = connection
            .query_first(sql)
            .map_err(failure("take the lock of the import"))?;
        if locked.flatten() != Some(1) {
            return Err(held_by_another(&mut connection, &databases));
        }
        failpoint::reached("lock taken");
        Ok(Staging {
            target: target.clone(),
            holder: LockHolder(connection.connection_id()),
            connection,
            databases,
            made: false,
        })
    }

    /// Creates the database, after dropping one that an earlier import has left. The lock proves that the
    /// earlier import has ended; its sessions may still be loading, and are ended.
    pub fn make(&mut self) -> Result<()> {
        self.refuse_foreign()?;
        self.end_sessions_of_the_dead()?;
        let staging = &self.databases.staging;
        let doing = || failure(format!("create the staging database {staging}"));
        let sql = format!(
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME
             FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}",
            literal(&self.databases.live)
        );
        // A table whose dump does not name these gets those of the live database.
        let defaults: Option<(String, String)> =
            self.connection.query_first(sql).map_err(doing())?;
        let defaults = defaults.map_or_else(String::new, |(charset, collation)| {
            format!(" CHARACTER SET {charset} COLLATE {collation}")
        });
        for (sql, point) in [
            (
                format!("DROP DATABASE IF EXISTS {}", identifier(staging)),
                "old staging dropped",
            ),
            (
                format!("CREATE DATABASE {}{defaults}", identifier(staging)),
                "staging database made",
            ),
            (
                format!(
                    "CREATE TABLE {} (id int) COMMENT '{MARK}'",
                    qualified(staging, MARK_TABLE)
                ),
                "staging database marked",
            ),
        ] {
            self.connection.query_drop(sql).map_err(doing())?;
            failpoint::reached(point);
        }
        self.made = true;
        Ok(())
    }

    /// An error if there is a database with the name of the staging that no import has made. An empty one may be what
    /// is left of one.
    pub fn refuse_foreign(&mut self) -> Result<()> {
        let staging = literal(&self.databases.staging);
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {staging})
                  + (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {staging})
                  + (SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {staging}),
                    (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {staging}
                     AND TABLE_NAME = '{MARK_TABLE}' AND TABLE_COMMENT = '{MARK}')"
        );
        let found: Option<(u64, u64)> = self
            .connection
            .query_first(sql)
            .map_err(failure("look at the staging database"))?;
        match found {
            Some((1.., 0)) => Err(Error::target(format!(
                "the server has a database {} that ci-import did not create",
                self.databases.staging
            ))
            .hint("an import loads into a database with this name: move its tables, or drop it if it is of ci-import 0.1.0")),
            _ => Ok(()),
        }
    }

    fn end_sessions_of_the_dead(&mut self) -> Result<()> {
        let doing = || failure("end the sessions of an earlier import");
        let sql = format!(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = {} AND ID <> CONNECTION_ID()",
            literal(&self.databases.staging)
        );
        let started = Instant::now();
        loop {
            let sessions: Vec<u64> = self.connection.query(&sql).map_err(doing())?;
            if sessions.is_empty() {
                return Ok(());
            }
            if started.elapsed() > LOCK_PATIENCE {
                return Err(Error::target(format!(
                    "other sessions use the database {}",
                    self.databases.staging
                ))
                .hint("only the import may use it; end these sessions, then run it again"));
            }
            for session in sessions {
                // The session may have ended meanwhile.
                let _ = self
                    .connection
                    .query_drop(format!("KILL CONNECTION {session}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The connection of the session that holds the lock.
    #[must_use]
    pub fn holder(&self) -> LockHolder {
        self.holder
    }

    /// The connection of the session that holds the lock.
    pub fn connection(&mut self) -> &mut Conn {
        &mut self.connection
    }

    /// The databases of the target.
    #[must_use]
    pub fn databases(&self) -> &Databases {
        &self.databases
    }

    /// Marks the tables as published.
    pub fn published(&mut self) {
        // The database still exists, and is empty.
        self.drop_database();
    }

    /// Says that the database is kept for a later publish.
    pub fn keep(&mut self) {
        self.made = false;
    }

    fn drop_database(&mut self) {
        self.made = false;
        failpoint::reached("staging database to be dropped");
        // After a signal, a server that does not answer is not waited for; one that does may need its time.
        let _ = self.connection.query_drop("DO 0");
        let _unhurried = stop::unhurried();
        let sql = format!(
            "DROP DATABASE IF EXISTS {}",
            identifier(&self.databases.staging)
        );
        if self.connection.query_drop(&sql).is_ok() {
            failpoint::reached("staging database dropped");
            return;
        }
        // This session may be lost while the server is still running.
        let again = self.target.connect().and_then(|mut connection| {
            connection
                .query_drop(&sql)
                .map_err(failure("drop the staging database"))
        });
        if let Err(error) = again {
            terminal::warn(
                Code::StagingRemains,
                &format!(
                    "the database {} was not removed from the server ({error}); the next import removes it",
                    self.databases.staging
                ),
            );
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.made {
            self.drop_database();
        }
    }
}

/// An error if the session `holder`, for which `connection` works, has lost the lock.
pub(crate) fn check_holder(
    connection: &mut Conn,
    databases: &Databases,
    holder: LockHolder,
) -> Result<()> {
    let sql = format!("SELECT IS_USED_LOCK({})", lock_name(databases));
    let found: Option<Option<u32>> = connection
        .query_first(sql)
        .map_err(failure("look at the lock of the import"))?;
    if found.flatten() == Some(holder.0) {
        return Ok(());
    }
    Err(
        Error::target("the session with the lock of the import has ended")
            .hint("look at the target server's log, then run it again"),
    )
}

/// The name of the lock, as a literal. Locks belong to the server, not to a database.
fn lock_name(databases: &Databases) -> String {
    literal(&format!("ci-import {}", databases.live))
}

fn held_by_another(connection: &mut Conn, databases: &Databases) -> Error {
    let sql = format!(
        "SELECT ID, USER, HOST FROM information_schema.PROCESSLIST WHERE ID = IS_USED_LOCK({})",
        lock_name(databases)
    );
    let holder: Option<(u64, String, String)> = connection.query_first(sql).ok().flatten();
    let holder = holder.map_or_else(String::new, |(id, user, host)| {
        format!(" (connection {id}, user {user}, from {host})")
    });
    Error::target(format!(
        "another import into this database is running{holder}"
    ))
    .hint("wait until it has ended, then run it again")
}
