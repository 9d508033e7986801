//! The session that keeps the record of migrations and the lock of their run. Each migration works in a
//! session of its own (`worker`).

use std::collections::VecDeque;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::built_in::BuiltIn;
use super::decide::{doubtful, to_decide};
use super::definitions::sums;
use super::engines::{self, Unprotected};
use super::kind::{Kind, says_it_was_done};
use super::segments::{self, Numbered, Segment, segments};
use super::statement::{run_own, run_statement};
use super::steps::{self, Doubt};
use super::syntax::is_compound;
use super::versions;
use super::worker::{self, Worker, records, timeouts};
use crate::cancellation::Halt;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::migrate::Patience;
use crate::migrate::Version;
use crate::migrate::patience::{self, Failed, cancelled_by};
use crate::migrate::{Migrates, Ran, Step, Unfinished, Way};
use crate::migrate::{Plan, Statement};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::options::Target;
use crate::server::mysql::publish::alone;
use crate::ui::progress::Progress;

/// See the module.
pub struct Session<'a> {
    target: &'a Target,
    halt: &'a Halt,
    conn: Conn,
}

/// What one statement is run with.
struct Run<'a, 'b> {
    step: &'a Step<'b>,
    patience: Patience,
    progress: &'a Progress,
}

impl<'a> Session<'a> {
    /// Connects, to migrate the target's database.
    pub fn open(target: &'a Target, halt: &'a Halt) -> Result<Session<'a>> {
        Ok(Session {
            target,
            halt,
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

    /// Does `work` in a session of its own; the statement it runs is cancelled when a signal comes.
    fn cancellable<T>(&mut self, worker: &mut Worker, work: impl FnOnce(&mut Worker) -> T) -> T {
        let (conn, id) = (&mut self.conn, worker.id());
        // One that has ended meanwhile is no failure.
        let cancel = || drop(conn.query_drop(format!("KILL QUERY {id}")));
        cancelled_by(self.halt, cancel, || work(worker))
    }

    /// Runs the statements of a transaction; those in `records` with them.
    fn run_rows(
        &mut self,
        run: &Run<'_, '_>,
        worker: &mut Worker,
        rows: &[Numbered<'_>],
        records: &[String],
    ) -> Result<()> {
        let halt = self.halt;
        let (step, patience) = (run.step, run.patience);
        patience.persist(&step.name, (run.progress, halt), || {
            worker.set_timeout(patience.lock_timeout)?;
            failpoint::reached("transaction of a migration begun");
            self.cancellable(worker, |worker| worker.run_rows(step, rows, records, halt))
                .map_err(|failed| failed.hint(&hint(rows)))
        })?;
        failpoint::reached("transaction of a migration committed");
        Ok(())
    }

    /// Runs a statement that commits, between two records of it.
    fn run_alone(
        &mut self,
        run: &Run<'_, '_>,
        worker: &mut Worker,
        one: &Numbered<'_>,
        recorded: &steps::Recorded,
    ) -> Result<()> {
        let (step, database) = (run.step, self.target.database());
        let definitions = sums(&mut self.conn, database)?;
        let doubt = recorded.doubt(one, &definitions);
        if doubt == Doubt::Another || doubt != Doubt::None && one.kind.is_for_people() {
            return Err(doubtful(step, one, doubt));
        }
        if doubt == Doubt::None {
            steps::begin(&mut self.conn, database, step, one, &definitions)?;
            failpoint::reached("statement on record as begun");
        }
        let (halt, patience) = (self.halt, run.patience);
        let mut is_known_undone = true;
        let done = patience.persist(&step.name, (run.progress, halt), || {
            worker.set_timeout(patience.lock_timeout)?;
            let done = self.cancellable(worker, |worker| worker.run_alone(step, one));
            let Err(unsuccessful) = done else {
                return Ok(());
            };
            let answer = unsuccessful.answer.as_ref();
            is_known_undone = answer.is_some() && !unsuccessful.is_half_done;
            let was_done = answer.is_some_and(|(code, message)| says_it_was_done(*code, message));
            if doubt == Doubt::Changed && was_done {
                let place = one.statement.place(step.path, 0);
                run.progress.step(&format!("{place} was done before"));
                return Ok(());
            }
            Err(unsuccessful.failed.hint(&hint(&[*one])))
        });
        if let Err(error) = done {
            // That it fails now does not say that it was not done before.
            if doubt != Doubt::None {
                return Err(error.hint(to_decide(step, one)));
            }
            if is_known_undone {
                steps::take_back(&mut self.conn, database, step, one)?;
            }
            return Err(error);
        }
        failpoint::reached("statement to be recorded as done");
        steps::end(&mut self.conn, database, step, one)?;
        failpoint::reached("statement on record as done");
        Ok(())
    }

    /// The parts of a transaction of `rows`: what no transaction protects is by itself, and so is what was
    /// begun by itself before.
    fn apart<'s>(
        &mut self,
        run: &Run<'_, '_>,
        rows: Vec<Numbered<'s>>,
        recorded: &steps::Recorded,
    ) -> Result<Vec<Segment<'s>>> {
        let unprotected = engines::unprotected(&mut self.conn, self.target.database())?;
        let is_apart = |one: &Numbered<'_>| {
            let Some(found) = engines::named(&one.statement.sql, &unprotected) else {
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

    /// Makes the record of the statements that are done, if it is not there.
    fn make_steps(&mut self, has_steps: &mut bool) -> Result<()> {
        if !std::mem::replace(has_steps, true) {
            steps::make(&mut self.conn, self.target.database())?;
        }
        Ok(())
    }

    /// An error if versions cannot be recorded together with what was done.
    fn check_record(&mut self) -> Result<()> {
        let unprotected = engines::unprotected(&mut self.conn, self.target.database())?;
        let record = unprotected.iter().find(|one| one.table == versions::TABLE);
        record.map_or(Ok(()), |record| {
            let Unprotected { table, engine } = record;
            Err(Error::target(format!(
                "{table} is a table of {engine}, which has no transactions: a version may be on record \
                 and its migration not done"
            ))
            .hint(format!("ALTER TABLE {table} ENGINE=InnoDB, then run it again")))
        })
    }

    /// The statements that record the end of `step`.
    fn recording(&self, step: &Step<'_>, has_steps: bool) -> Vec<String> {
        let database = self.target.database();
        let version = match step.way {
            Way::Up => versions::record(database, step.version),
            Way::Down => versions::forget(database, step.version),
        };
        let forget = has_steps.then(|| steps::forget(database, step));
        [version].into_iter().chain(forget).collect()
    }
}

impl Migrates for Session<'_> {
    type BuiltIn = BuiltIn;

    fn halt(&self) -> &Halt {
        self.halt
    }

    fn try_lock(&mut self) -> Result<bool> {
        worker::try_lock(&mut self.conn, "migrate", self.target.database())
    }

    fn recorded(&mut self) -> Result<Vec<String>> {
        versions::read(&mut self.conn, self.target.database())
    }

    fn make_table(&mut self) -> Result<()> {
        let database = self.target.database();
        if versions::exists(&mut self.conn, database)? {
            return Ok(());
        }
        versions::make(&mut self.conn, database)
    }

    fn unfinished(&mut self) -> Result<Vec<Unfinished>> {
        steps::unfinished(&mut self.conn, self.target.database())
    }

    /// Segment by segment, from where it was cut; the last one, or a transaction behind it, records its end.
    fn run(&mut self, step: &Step<'_>, patience: Patience, progress: &Progress) -> Result<()> {
        let database = self.target.database();
        let mut worker = Worker::open(self.target, progress, self.halt)?;
        self.check_record()?;
        let recorded = steps::read(&mut self.conn, database, step.version, step.way)?;
        recorded.check(step)?;
        let run = Run {
            step,
            patience,
            progress,
        };
        let mut left: VecDeque<_> = segments(step.part, recorded.count()).into();
        let mut has_steps = steps::exists(&mut self.conn, database)?;
        let mut is_recorded = false;
        failpoint::reached("migration begun");
        while let Some(segment) = left.pop_front() {
            patience::check(self.halt)?;
            let rows = match segment {
                Segment::Alone(one) => {
                    self.make_steps(&mut has_steps)?;
                    self.run_alone(&run, &mut worker, &one, &recorded)?;
                    continue;
                }
                Segment::Rows(rows) => rows,
            };
            // What is made before it may be what it changes, so it is looked at now.
            let mut parts = self.apart(&run, rows, &recorded)?;
            let records = match parts.as_slice() {
                [Segment::Rows(_)] if left.is_empty() => {
                    is_recorded = true;
                    self.recording(step, has_steps)
                }
                [rows @ Segment::Rows(_)] => {
                    self.make_steps(&mut has_steps)?;
                    records(rows, |one| steps::done(database, step, one))
                }
                _ => Vec::new(),
            };
            match parts.pop() {
                Some(Segment::Rows(rows)) if parts.is_empty() => {
                    self.run_rows(&run, &mut worker, &rows, &records)?;
                }
                last => parts
                    .into_iter()
                    .chain(last)
                    .rev()
                    .for_each(|part| left.push_front(part)),
            }
        }
        if !is_recorded {
            // Not every statement that is cancelled is an error; what it has done is on record.
            patience::check(self.halt)?;
            let records = self.recording(step, has_steps);
            self.run_rows(&run, &mut worker, &[], &records)?;
        }
        failpoint::reached("migration committed");
        steps::drop_if_empty(&mut self.conn, database)
    }

    /// While nothing is published. Cut, it is planned anew by what is there.
    fn run_built_in(
        &mut self,
        (name, version): (&str, Version),
        built_in: &BuiltIn,
        patience: Patience,
        progress: &Progress,
    ) -> Result<Ran> {
        let database = self.target.database();
        let databases = Databases::of(database)?;
        let mut worker = Worker::open(self.target, progress, self.halt)?;
        let halt = self.halt;
        let path = std::path::Path::new(name);
        patience.persist(name, (progress, halt), || {
            let attempt = |conn: &mut Conn| -> std::result::Result<Ran, Failed> {
                failpoint::reached("migration begun");
                conn.query_drop(timeouts(patience.lock_timeout))
                    .map_err(failure("set the lock timeout"))?;
                let (statements, told) = match (built_in.plan)(conn, database)? {
                    Plan::Wait(reason) => return Ok(Ran::Waits(reason)),
                    Plan::Run { statements, told } => (statements, told),
                };
                for sql in statements {
                    let done = run_statement(conn, &Statement::from(sql), path);
                    done.map_err(|unsuccessful| unsuccessful.failed)?;
                }
                failpoint::reached("migration to be committed");
                run_own(conn, &versions::record(database, version))?;
                failpoint::reached("migration committed");
                Ok(Ran::Done(told))
            };
            self.cancellable(&mut worker, |worker| {
                // What failed in it is another matter than that it could not be alone.
                alone(&mut worker.conn, &databases, |conn| Ok(attempt(conn)))?
            })
        })
    }

    fn plan(&mut self, built_in: &BuiltIn) -> Result<Plan> {
        (built_in.plan)(&mut self.conn, self.target.database())
    }

    fn rendered(&mut self, step: &Step<'_>, patience: Patience) -> Result<String> {
        let database = self.target.database();
        let recorded = steps::read(&mut self.conn, database, step.version, step.way)?;
        recorded.check(step)?;
        let mut sql = format!("-- {} ({})\n", step.name, step.path.display());
        if recorded.count() > 0 {
            sql += &format!("-- {} of its statements are done\n", recorded.count());
        }
        sql += &format!("{};\n", timeouts(patience.lock_timeout));
        for segment in segments(step.part, recorded.count()) {
            match segment {
                Segment::Alone(one) => sql += &for_client(one.statement),
                Segment::Rows(rows) => {
                    let begins = rows.iter().position(|one| one.kind == Kind::Rows);
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

/// A statement as the client `mysql` takes it.
fn for_client(statement: &Statement) -> String {
    let sql = &statement.sql;
    if is_compound(sql) {
        return format!("DELIMITER $$\n{sql} $$\nDELIMITER ;\n");
    }
    format!("{sql};\n")
}

/// What is to be done after a failure in `rows`.
fn hint(rows: &[Numbered<'_>]) -> String {
    let before = rows.first().map_or(0, |first| first.number - 1);
    if before == 0 {
        return "nothing of it is there; it stays pending".to_owned();
    }
    format!(
        "it stays pending; {before} statements before this one are done, and are not run again: mend \
         what failed, then run it again"
    )
}
