//! The session of one migration: the next migration does not see its settings and variables. It has a lock of
//! its own, which the server releases when its last statement has ended. So after a kill nobody else begins while
//! that statement still runs.

use std::time::Duration;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::lock;
use super::segments::{NumberedStatement, Segment};
use super::statement::{StatementError, in_transaction, run_own, run_statement};
use super::statement_kind::StatementKind;
use crate::cancellation::Cancellation;
use crate::error::Result;
use crate::failpoint;
use crate::migrate::MigrationStep;
use crate::migrate::interruption::{self, POLL_INTERVAL};
use crate::migrate::retry::AttemptError;
use crate::server::mysql::error::failure;
use crate::server::mysql::options::ConnectionOptions;
use crate::ui::progress::Progress;

/// The session of one migration.
pub(super) struct Worker {
    pub(super) conn: Conn,
}

impl Worker {
    /// Connects, and takes the lock when the statements of a killed run have ended.
    pub(super) fn open(
        target: &ConnectionOptions,
        progress: &Progress,
        cancellation: &Cancellation,
    ) -> Result<Worker> {
        let mut conn = target.connect()?;
        let mut waits = false;
        while !lock::take(&mut conn, "migration", target.database())? {
            if !std::mem::replace(&mut waits, true) {
                progress
                    .step("a statement of a run that is no more still works; waiting for its end");
            }
            interruption::sleep(cancellation, POLL_INTERVAL)?;
        }
        // MariaDB's limit for the time of a statement is not meant for migrations. MySQL has none.
        let _: mysql::Result<()> = conn.query_drop("SET SESSION max_statement_time = 0");
        Ok(Worker { conn })
    }

    /// The connection id of the session.
    pub(super) fn id(&self) -> u32 {
        self.conn.connection_id()
    }

    /// Sets how long statements wait for a lock. The server counts in seconds.
    pub(super) fn set_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.conn
            .query_drop(timeouts(timeout))
            .map_err(failure("set the lock timeout"))
    }

    /// Runs the statements of a transaction, and those in `records` with them.
    pub(super) fn run_transaction(
        &mut self,
        step: &MigrationStep<'_>,
        rows: &[NumberedStatement<'_>],
        records: &[String],
        cancellation: &Cancellation,
    ) -> std::result::Result<(), AttemptError> {
        // Some settings are not possible in a transaction.
        let begins = rows.iter().position(|one| one.kind == StatementKind::Rows);
        let (before, rows) = rows.split_at(begins.unwrap_or(rows.len()));
        for one in before {
            run_statement(&mut self.conn, one.statement, step.path)
                .map_err(|unsuccessful| unsuccessful.failed)?;
        }
        run_own(&mut self.conn, "START TRANSACTION")?;
        let done = in_transaction(&mut self.conn, |conn| {
            for one in rows {
                run_statement(conn, one.statement, step.path)?;
                // A cancelled statement does not always fail.
                interruption::check(cancellation)?;
            }
            for sql in records {
                run_own(conn, sql)?;
            }
            failpoint::reached("migration to be committed");
            Ok(())
        });
        done.map_err(|unsuccessful| unsuccessful.failed)
    }

    /// Runs a statement that is a segment of its own. The error for a non-transactional one says whether it is
    /// half done.
    pub(super) fn run_alone(
        &mut self,
        step: &MigrationStep<'_>,
        one: &NumberedStatement<'_>,
    ) -> std::result::Result<(), StatementError> {
        if one.kind != StatementKind::NonTransactional {
            return run_statement(&mut self.conn, one.statement, step.path);
        }
        run_own(&mut self.conn, "START TRANSACTION")?;
        in_transaction(&mut self.conn, |conn| {
            run_statement(conn, one.statement, step.path)
        })
    }
}

/// The statement that sets the lock timeouts.
pub(super) fn timeouts(timeout: Duration) -> String {
    let seconds = timeout.as_millis().div_ceil(1000).max(1);
    format!("SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}")
}

/// The records of all logged statements of `segment`.
pub(super) fn records(
    segment: &Segment<'_>,
    record: impl Fn(&NumberedStatement<'_>) -> String,
) -> Vec<String> {
    segment.logged().map(record).collect()
}
