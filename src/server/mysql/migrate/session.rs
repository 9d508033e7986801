//! The session that records the versions and holds the lock of a run. Each migration works in a session of its
//! own (`worker`).

use std::collections::VecDeque;
use std::path::Path;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::built_in::BuiltIn;
use super::definitions::sums;
use super::lock;
use super::non_transactional::{NonTransactionalTable, named, non_transactional_tables};
use super::segments::{self, NumberedStatement, Segment, segments};
use super::statement::{run_own, run_statement};
use super::statement_kind::{StatementKind, says_it_was_done};
use super::statement_log::{self, EarlierAttempt};
use super::syntax::is_compound;
use super::unknown_outcome::{doubtful, to_decide};
use super::versions;
use super::worker::{Worker, records, timeouts};
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::migrate::interruption::{self, cancel_on_signal};
use crate::migrate::retry::AttemptError;
use crate::migrate::{
    BuiltInOutcome, MigrationPlan, MigrationSession, MigrationStatement, MigrationStep,
    RetryPolicy, UnfinishedMigration, Version,
};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::options::ConnectionOptions;
use crate::server::mysql::publish::alone;
use crate::ui::progress::Progress;

/// The session of a run.
pub struct Session<'a> {
    target: &'a ConnectionOptions,
    cancellation: &'a Cancellation,
    conn: Conn,
}

/// What all statements of a migration have in common.
struct Run<'a, 'b> {
    step: &'a MigrationStep<'b>,
    retry_policy: RetryPolicy,
    progress: &'a Progress,
}

impl<'a> Session<'a> {
    /// Connects, to migrate the target's database.
    pub fn open(
        target: &'a ConnectionOptions,
        cancellation: &'a Cancellation,
    ) -> Result<Session<'a>> {
        Ok(Session {
            target,
            cancellation,
            conn: target.connect()?,
        })
    }

    /// The database that is migrated, with the table of versions.
    #[must_use]
    pub fn database(&self) -> &str {
        self.target.database()
    }

    /// The connection.
    pub fn connection(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// Does `work` in the session of a migration. A signal cancels the statement that runs there.
    fn cancellable<T>(&mut self, worker: &mut Worker, work: impl FnOnce(&mut Worker) -> T) -> T {
        let (conn, id) = (&mut self.conn, worker.id());
        // A statement may have ended meanwhile; that is no failure.
        let cancel = || drop(conn.query_drop(format!("KILL QUERY {id}")));
        cancel_on_signal(self.cancellation, cancel, || work(worker))
    }

    /// Runs the statements of a transaction; those in `records` with them.
    fn run_transaction(
        &mut self,
        run: &Run<'_, '_>,
        worker: &mut Worker,
        rows: &[NumberedStatement<'_>],
        records: &[String],
    ) -> Result<()> {
        let cancellation = self.cancellation;
        let (step, retry_policy) = (run.step, run.retry_policy);
        retry_policy.run(&step.name, (run.progress, cancellation), || {
            worker.set_timeout(retry_policy.lock_timeout)?;
            failpoint::reached("transaction of a migration begun");
            self.cancellable(worker, |worker| {
                worker.run_transaction(step, rows, records, cancellation)
            })
            .map_err(|failed| failed.hint(&hint(rows)))
        })?;
        failpoint::reached("transaction of a migration committed");
        Ok(())
    }

    /// Runs a statement that is a segment of its own. The log has an entry of it before and after.
    fn run_alone(
        &mut self,
        run: &Run<'_, '_>,
        worker: &mut Worker,
        one: &NumberedStatement<'_>,
        recorded: &statement_log::RecordedStatements,
    ) -> Result<()> {
        let (step, database) = (run.step, self.target.database());
        let definitions = sums(&mut self.conn, database)?;
        let earlier = recorded.earlier_attempt(one, &definitions);
        if earlier == EarlierAttempt::OfAnotherStatement
            || earlier != EarlierAttempt::None && one.kind.needs_decision()
        {
            return Err(doubtful(step, one, earlier));
        }
        if earlier == EarlierAttempt::None {
            statement_log::begin(&mut self.conn, database, step, one, &definitions)?;
            failpoint::reached("statement on record as begun");
        }
        let (cancellation, retry_policy) = (self.cancellation, run.retry_policy);
        let mut is_known_undone = true;
        let done = retry_policy.run(&step.name, (run.progress, cancellation), || {
            worker.set_timeout(retry_policy.lock_timeout)?;
            let done = self.cancellable(worker, |worker| worker.run_alone(step, one));
            let Err(unsuccessful) = done else {
                return Ok(());
            };
            let answer = unsuccessful.answer.as_ref();
            is_known_undone = answer.is_some() && !unsuccessful.is_half_done;
            let was_done = answer.is_some_and(|(code, message)| says_it_was_done(*code, message));
            if earlier == EarlierAttempt::DefinitionsChanged && was_done {
                let place = one.statement.place(step.path, 0);
                run.progress.step(&format!("{place} was done before"));
                return Ok(());
            }
            Err(unsuccessful.failed.hint(&hint(&[*one])))
        });
        if let Err(error) = done {
            // A failure now does not mean that the earlier attempt failed.
            if earlier != EarlierAttempt::None {
                return Err(error.hint(to_decide(step, one)));
            }
            if is_known_undone {
                statement_log::take_back(&mut self.conn, database, step, one)?;
            }
            return Err(error);
        }
        failpoint::reached("statement to be recorded as done");
        statement_log::end(&mut self.conn, database, step, one)?;
        failpoint::reached("statement on record as done");
        Ok(())
    }

    /// Splits the transaction `rows`. Non-transactional statements are segments of their own, and so is a statement
    /// that an interrupted run has begun as one.
    fn apart<'s>(
        &mut self,
        run: &Run<'_, '_>,
        rows: Vec<NumberedStatement<'s>>,
        recorded: &statement_log::RecordedStatements,
    ) -> Result<Vec<Segment<'s>>> {
        let tables = non_transactional_tables(&mut self.conn, self.target.database())?;
        let is_apart = |one: &NumberedStatement<'_>| {
            let Some(found) = named(&one.statement.sql, &tables) else {
                return recorded.begun() == Some(one.number);
            };
            let place = one.statement.place(run.step.path, 0);
            run.progress.step(&format!(
                "{place}: {} has no transactions ({}): what is done in it cannot be undone",
                found.table, found.engine
            ));
            true
        };
        Ok(segments::apart(rows, is_apart))
    }

    /// Creates the log if it is missing.
    fn create_log(&mut self, has_log: &mut bool) -> Result<()> {
        if !std::mem::replace(has_log, true) {
            statement_log::create(&mut self.conn, self.target.database())?;
        }
        Ok(())
    }

    /// Returns an error if a version cannot be recorded in the transaction of its migration.
    fn check_record(&mut self) -> Result<()> {
        let tables = non_transactional_tables(&mut self.conn, self.target.database())?;
        let record = tables.iter().find(|one| one.table == versions::TABLE);
        record.map_or(Ok(()), |record| {
            let NonTransactionalTable { table, engine } = record;
            Err(Error::target(format!(
                "{table} is a table of {engine}, which has no transactions: a version may be on record \
                 and its migration not done"
            ))
            .hint(format!("ALTER TABLE {table} ENGINE=InnoDB, then run it again")))
        })
    }

    /// The statements that record `step` and delete its log.
    fn recording(&self, step: &MigrationStep<'_>, has_log: bool) -> Vec<String> {
        let database = self.target.database();
        let version = step.recording(database, versions::record, versions::forget);
        let forget = has_log.then(|| statement_log::forget(database, step));
        [version].into_iter().chain(forget).collect()
    }
}

impl MigrationSession for Session<'_> {
    type BuiltIn = BuiltIn;

    fn cancellation(&self) -> &Cancellation {
        self.cancellation
    }

    fn try_lock(&mut self) -> Result<bool> {
        lock::take(&mut self.conn, "migrate", self.target.database())
    }

    fn recorded(&mut self) -> Result<Vec<String>> {
        versions::read(&mut self.conn, self.target.database())
    }

    fn create_table(&mut self) -> Result<()> {
        let database = self.target.database();
        if versions::exists(&mut self.conn, database)? {
            return Ok(());
        }
        versions::create(&mut self.conn, database)
    }

    fn unfinished(&mut self) -> Result<Vec<UnfinishedMigration>> {
        statement_log::unfinished(&mut self.conn, self.target.database())
    }

    /// Runs the segments that are left. The last one records the version, or a transaction after it does.
    fn run(
        &mut self,
        step: &MigrationStep<'_>,
        retry_policy: RetryPolicy,
        progress: &Progress,
    ) -> Result<()> {
        let database = self.target.database();
        let mut worker = Worker::open(self.target, progress, self.cancellation)?;
        self.check_record()?;
        let recorded = statement_log::read(&mut self.conn, database, step.version, step.direction)?;
        recorded.check(step)?;
        let run = Run {
            step,
            retry_policy,
            progress,
        };
        let mut left: VecDeque<_> = segments(step.part, recorded.count()).into();
        let mut has_log = statement_log::exists(&mut self.conn, database)?;
        let mut is_recorded = false;
        failpoint::reached("migration begun");
        while let Some(segment) = left.pop_front() {
            interruption::check(self.cancellation)?;
            let rows = match segment {
                Segment::Alone(one) => {
                    self.create_log(&mut has_log)?;
                    self.run_alone(&run, &mut worker, &one, &recorded)?;
                    continue;
                }
                Segment::Transaction(rows) => rows,
            };
            // Earlier segments may have created the tables, so their engines are looked up now.
            let mut parts = self.apart(&run, rows, &recorded)?;
            let records = match parts.as_slice() {
                [Segment::Transaction(_)] if left.is_empty() => {
                    is_recorded = true;
                    self.recording(step, has_log)
                }
                [rows @ Segment::Transaction(_)] => {
                    self.create_log(&mut has_log)?;
                    records(rows, |one| statement_log::done(database, step, one))
                }
                _ => Vec::new(),
            };
            match parts.pop() {
                Some(Segment::Transaction(rows)) if parts.is_empty() => {
                    self.run_transaction(&run, &mut worker, &rows, &records)?;
                }
                last => parts
                    .into_iter()
                    .chain(last)
                    .rev()
                    .for_each(|part| left.push_front(part)),
            }
        }
        if !is_recorded {
            // A cancelled statement does not always fail. What it has done is logged.
            interruption::check(self.cancellation)?;
            let records = self.recording(step, has_log);
            self.run_transaction(&run, &mut worker, &[], &records)?;
        }
        failpoint::reached("migration committed");
        statement_log::drop_if_empty(&mut self.conn, database)
    }

    /// Runs while no import is published. After an interruption the next run plans it again.
    fn run_built_in(
        &mut self,
        (name, version): (&str, Version),
        built_in: &BuiltIn,
        retry_policy: RetryPolicy,
        progress: &Progress,
    ) -> Result<BuiltInOutcome> {
        let database = self.target.database();
        let databases = Databases::of(database)?;
        let mut worker = Worker::open(self.target, progress, self.cancellation)?;
        let cancellation = self.cancellation;
        let path = Path::new(name);
        retry_policy.run(name, (progress, cancellation), || {
            let attempt = |conn: &mut Conn| -> std::result::Result<BuiltInOutcome, AttemptError> {
                failpoint::reached("migration begun");
                conn.query_drop(timeouts(retry_policy.lock_timeout))
                    .map_err(failure("set the lock timeout"))?;
                let (statements, told) = match (built_in.plan)(conn, database)? {
                    MigrationPlan::Wait(reason) => return Ok(BuiltInOutcome::Waits(reason)),
                    MigrationPlan::Run { statements, told } => (statements, told),
                };
                for sql in statements {
                    let done = run_statement(conn, &MigrationStatement::from(sql), path);
                    done.map_err(|unsuccessful| unsuccessful.failed)?;
                }
                failpoint::reached("migration to be committed");
                run_own(conn, &versions::record(database, version))?;
                failpoint::reached("migration committed");
                Ok(BuiltInOutcome::Done(told))
            };
            self.cancellable(&mut worker, |worker| {
                // The inner result is its own; the outer one says whether the session was alone.
                alone(&mut worker.conn, &databases, |conn| Ok(attempt(conn)))?
            })
        })
    }

    fn plan(&mut self, built_in: &BuiltIn) -> Result<MigrationPlan> {
        (built_in.plan)(&mut self.conn, self.target.database())
    }

    fn rendered(&mut self, step: &MigrationStep<'_>, retry_policy: RetryPolicy) -> Result<String> {
        let database = self.target.database();
        let recorded = statement_log::read(&mut self.conn, database, step.version, step.direction)?;
        recorded.check(step)?;
        let mut sql = format!("-- {} ({})\n", step.name, step.path.display());
        if recorded.count() > 0 {
            sql += &format!("-- {} of its statements are done\n", recorded.count());
        }
        sql += &format!("{};\n", timeouts(retry_policy.lock_timeout));
        for segment in segments(step.part, recorded.count()) {
            match segment {
                Segment::Alone(one) => sql += &for_client(one.statement),
                Segment::Transaction(rows) => {
                    let begins = rows.iter().position(|one| one.kind == StatementKind::Rows);
                    let (before, rows) = rows.split_at(begins.unwrap_or(rows.len()));
                    sql.extend(before.iter().map(|one| for_client(one.statement)));
                    if !rows.is_empty() {
                        let rows: String =
                            rows.iter().map(|one| for_client(one.statement)).collect();
                        sql += &format!("START TRANSACTION;\n{rows}COMMIT;\n");
                    }
                }
            }
        }
        let records = self.recording(step, recorded.count() > 0);
        sql.extend(records.iter().map(|record| format!("{record};\n")));
        Ok(sql)
    }
}

/// A statement in the form that the client `mysql` takes.
fn for_client(statement: &MigrationStatement) -> String {
    let sql = &statement.sql;
    if is_compound(sql) {
        return format!("DELIMITER $$\n{sql} $$\nDELIMITER ;\n");
    }
    format!("{sql};\n")
}

/// The hint after a failure in `rows`.
fn hint(rows: &[NumberedStatement<'_>]) -> String {
    let before = rows.first().map_or(0, |first| first.number - 1);
    if before == 0 {
        return "nothing of it is there; it stays pending".to_owned();
    }
    format!(
        "it stays pending; {before} statements before this one are done, and are not run again: mend \
         what failed, then run it again"
    )
}
