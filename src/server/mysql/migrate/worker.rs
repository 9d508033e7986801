//! The session that a migration has to itself: what one sets, or keeps in variables, the next does not
//! see. It has a lock of its own, which it gives back when its last statement has ended, so also after a
//! kill nobody else begins while that still runs.

use std::time::Duration;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::kind::Kind;
use super::segments::{Numbered, Segment};
use super::statement::{Unsuccessful, in_transaction, run_own, run_statement};
use crate::cancellation::Halt;
use crate::error::Result;
use crate::failpoint;
use crate::migrate::Step;
use crate::migrate::patience::{self, Failed};
use crate::server::mysql::error::failure;
use crate::server::mysql::locks::lock_name;
use crate::server::mysql::options::Target;
use crate::ui::progress::Progress;

/// See the module.
pub(super) struct Worker {
    pub(super) conn: Conn,
}

impl Worker {
    /// Connects, and takes the lock as soon as the statements of a run that was killed have ended.
    pub(super) fn open(target: &Target, progress: &Progress, halt: &Halt) -> Result<Worker> {
        let mut conn = target.connect()?;
        let mut waits = false;
        while !try_lock(&mut conn, "migration", target.database())? {
            if !std::mem::replace(&mut waits, true) {
                progress
                    .step("a statement of a run that is no more still works; waiting for its end");
            }
            patience::pause(halt, patience::GLANCE)?;
        }
        // MariaDB's limit of a statement's time is not meant for this; MySQL has none.
        let _: mysql::Result<()> = conn.query_drop("SET SESSION max_statement_time = 0");
        Ok(Worker { conn })
    }

    /// The number that the server has for the session.
    pub(super) fn id(&self) -> u32 {
        self.conn.connection_id()
    }

    /// Has statements wait so long for a lock; the server counts in seconds.
    pub(super) fn set_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.conn
            .query_drop(timeouts(timeout))
            .map_err(failure("set the lock timeout"))
    }

    /// Runs the statements of a transaction, and those in `records` with them.
    pub(super) fn run_rows(
        &mut self,
        step: &Step<'_>,
        rows: &[Numbered<'_>],
        records: &[String],
        halt: &Halt,
    ) -> std::result::Result<(), Failed> {
        // Some settings cannot be made in a transaction.
        let begins = rows.iter().position(|one| one.kind == Kind::Rows);
        let (before, rows) = rows.split_at(begins.unwrap_or(rows.len()));
        for one in before {
            run_statement(&mut self.conn, one.statement, step.path)
                .map_err(|unsuccessful| unsuccessful.failed)?;
        }
        run_own(&mut self.conn, "START TRANSACTION")?;
        let done = in_transaction(&mut self.conn, |conn| {
            for one in rows {
                run_statement(conn, one.statement, step.path)?;
                // Not every statement that is cancelled is an error.
                patience::check(halt)?;
            }
            for sql in records {
                run_own(conn, sql)?;
            }
            failpoint::reached("migration to be committed");
            Ok(())
        });
        done.map_err(|unsuccessful| unsuccessful.failed)
    }

    /// Runs a statement that commits, or that no transaction protects: one tells whether it is half done.
    pub(super) fn run_alone(
        &mut self,
        step: &Step<'_>,
        one: &Numbered<'_>,
    ) -> std::result::Result<(), Unsuccessful> {
        if one.kind != Kind::Unprotected {
            return run_statement(&mut self.conn, one.statement, step.path);
        }
        run_own(&mut self.conn, "START TRANSACTION")?;
        in_transaction(&mut self.conn, |conn| {
            run_statement(conn, one.statement, step.path)
        })
    }
}

/// The statement that sets how long others may hold what is needed.
pub(super) fn timeouts(timeout: Duration) -> String {
    let seconds = timeout.as_millis().div_ceil(1000).max(1);
    format!("SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}")
}

/// Takes the lock of a `kind` on migrations of `database`, if nobody has it.
pub(super) fn try_lock(conn: &mut Conn, kind: &str, database: &str) -> Result<bool> {
    let got: Option<Option<u8>> = conn
        .exec_first("SELECT GET_LOCK(?, 0)", (lock_name(kind, database),))
        .map_err(failure("take the lock of migrations"))?;
    Ok(got.flatten() == Some(1))
}

/// The records of all statements of `segment`.
pub(super) fn records(
    segment: &Segment<'_>,
    record: impl Fn(&Numbered<'_>) -> String,
) -> Vec<String> {
    segment.recorded().map(record).collect()
}
