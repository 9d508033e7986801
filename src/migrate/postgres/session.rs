//! The session that migrates: it holds the lock, runs the statements and keeps the record. The lock is
//! gone when the session is, so also after a kill nobody else begins while statements still run.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use postgres::{Client, Transaction};

use super::super::migration::{BuiltIn, Part, Plan, Statement};
use super::super::version::Version;
use super::statement::{Failed, is_in_the_way, record, run_statement};
use super::versions;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::halt::Halt;
use crate::load::{Target, failure};
use crate::progress::Progress;

/// Of the advisory lock that one run at a time has in a database; any number, but always the same.
const LOCK_KEY: i64 = 0x6369_2d6d_6967_7261;

/// How often who waits looks whether it is over.
const GLANCE: Duration = Duration::from_millis(100);

/// The first pause before a migration is tried again; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What migrations find, whatever the one before has set. Roles that serve applications often have
/// timeouts, which are not meant for this.
const SETTINGS: &str = "\
SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
SET lock_timeout = 0; SET standard_conforming_strings = on; SET client_min_messages = warning";

/// Puts everything back that a migration may have set in the session.
const RESET: &str = "\
SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES";

/// How long a migration waits for locks that others hold, while others queue behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one lock, at one time.
    pub lock_timeout: Duration,
    /// How many times it is tried again.
    pub retries: u32,
}

/// What is run of a migration, and recorded with it.
pub(crate) struct Step<'a> {
    /// What it is called.
    pub(crate) name: String,
    /// Its file.
    pub(crate) path: &'a Path,
    /// Its statements.
    pub(crate) part: &'a Part,
    /// The statement that records that they were run.
    pub(crate) record: String,
}

/// What came of a built-in migration.
pub(crate) enum Ran {
    Done(String),
    Waits(String),
}

/// See the module.
pub struct Session<'a> {
    target: &'a Target,
    halt: &'a Halt,
    client: Client,
    schema: String,
}

impl<'a> Session<'a> {
    /// Connects, to migrate the first schema of the search_path.
    pub fn open(target: &'a Target, halt: &'a Halt) -> Result<Session<'a>> {
        let mut client = target.connect()?;
        client
            .batch_execute(SETTINGS)
            .map_err(failure("prepare the session"))?;
        let row = client
            .query_one("SELECT current_schema()::text", &[])
            .map_err(failure("ask for the current schema"))?;
        let schema: Option<String> = row.get(0);
        let schema = schema.ok_or_else(|| {
            Error::target("the target has no current schema")
                .hint("the search_path must name a schema that exists, and that you may use")
        })?;
        Ok(Session {
            target,
            halt,
            client,
            schema,
        })
    }

    /// The same for built-in migrations of another schema.
    #[must_use]
    pub fn in_schema(mut self, schema: &str) -> Session<'a> {
        schema.clone_into(&mut self.schema);
        self
    }

    /// The schema that migrations find first, with the table of versions.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The connection.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Takes the lock, if nobody has it.
    pub fn try_lock(&mut self) -> Result<bool> {
        let row = self
            .client
            .query_one("SELECT pg_catalog.pg_try_advisory_lock($1)", &[&LOCK_KEY])
            .map_err(failure("take the lock of migrations"))?;
        Ok(row.get(0))
    }

    /// Takes the lock, as soon as nobody has it.
    pub fn lock(&mut self, progress: &Progress) -> Result<()> {
        let mut waits = false;
        while !self.try_lock()? {
            if !std::mem::replace(&mut waits, true) {
                progress.step("another run migrates this database; waiting for its end");
            }
            self.pause(GLANCE)?;
        }
        failpoint::reached("lock of migrations taken");
        Ok(())
    }

    /// The versions that were run; those that are no times are left out.
    pub fn versions(&mut self) -> Result<BTreeSet<Version>> {
        let found = versions::read(&mut self.client, &self.schema)?;
        Ok(found.iter().filter_map(|v| Version::parse(v)).collect())
    }

    /// Makes the table of versions, if there is none.
    pub fn make_table(&mut self) -> Result<()> {
        let doing = || failure("make the table of migrations");
        if versions::exists(&mut self.client, &self.schema)? {
            return Ok(());
        }
        let mut transaction = self.client.transaction().map_err(doing())?;
        versions::make(&mut transaction, &self.schema)?;
        transaction.commit().map_err(doing())
    }

    /// Runs what is in a file, and records it: both or neither, unless the file wants it otherwise.
    pub(crate) fn run(
        &mut self,
        step: &Step<'_>,
        patience: Patience,
        progress: &Progress,
    ) -> Result<()> {
        if step.part.no_transaction {
            return self.run_one_by_one(step);
        }
        self.persist(&step.name, patience, progress, |transaction, _| {
            for statement in &step.part.statements {
                let done = run_statement(transaction, statement, step.path);
                done.map_err(|failed| failed.hint("nothing of it is there; it stays pending"))?;
            }
            record(transaction, &step.record)?;
            Ok(())
        })
    }

    /// Runs a built-in migration, if it does not want to wait, and records it.
    pub(crate) fn run_built_in(
        &mut self,
        (name, version): (&str, Version),
        built_in: &BuiltIn,
        patience: Patience,
        progress: &Progress,
    ) -> Result<Ran> {
        self.persist(name, patience, progress, |transaction, schema| {
            for sql in (built_in.lock)(transaction, schema)? {
                run_statement(transaction, &Statement::from(sql), Path::new(name))?;
            }
            match (built_in.plan)(transaction, schema)? {
                Plan::Wait(reason) => Ok(Ran::Waits(reason)),
                Plan::Run { statements, told } => {
                    for sql in statements {
                        run_statement(transaction, &Statement::from(sql), Path::new(name))?;
                    }
                    record(transaction, &versions::record(schema, version))?;
                    Ok(Ran::Done(told))
                }
            }
        })
    }

    /// What a built-in migration would do now.
    pub(crate) fn plan(&mut self, built_in: &BuiltIn) -> Result<Plan> {
        let doing = || failure("look at the target");
        let mut transaction = self.client.transaction().map_err(doing())?;
        (built_in.plan)(&mut transaction, &self.schema)
    }

    /// Does `work` in a transaction, again and again where others are in the way, with pauses in which
    /// they have theirs.
    fn persist<T>(
        &mut self,
        name: &str,
        patience: Patience,
        progress: &Progress,
        mut work: impl FnMut(&mut Transaction<'_>, &str) -> std::result::Result<T, Failed>,
    ) -> Result<T> {
        let mut pause = FIRST_PAUSE;
        for left in (0..=patience.retries).rev() {
            match self.attempt(name, patience.lock_timeout, &mut work) {
                Ok(done) => {
                    self.reset()?;
                    return Ok(done);
                }
                Err(failed) if failed.again && left > 0 => {
                    let seconds = pause.as_secs_f64();
                    progress.step(&format!(
                        "{name}: others hold what it needs; again in {seconds:.1} s"
                    ));
                    failpoint::reached("migration gave way");
                    self.pause(pause)?;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
                Err(failed) => return Err(self.or_interrupted(failed.error)),
            }
        }
        Err(Error::failed(format!("{name} was not tried")))
    }

    fn attempt<T>(
        &mut self,
        name: &str,
        lock_timeout: Duration,
        work: &mut impl FnMut(&mut Transaction<'_>, &str) -> std::result::Result<T, Failed>,
    ) -> std::result::Result<T, Failed> {
        let (client, schema) = (&mut self.client, &self.schema);
        let canceller = self.target.canceller(client);
        cancelled_by(self.halt, &|| canceller.cancel(), || {
            let begun = client.transaction();
            let mut transaction = begun.map_err(failure("begin a transaction"))?;
            let milliseconds = lock_timeout.as_millis();
            transaction
                .batch_execute(&format!("SET LOCAL lock_timeout = {milliseconds}"))
                .map_err(failure("set the lock timeout"))?;
            failpoint::reached("migration begun");
            let done = work(&mut transaction, schema)?;
            failpoint::reached("migration to be committed");
            transaction.commit().map_err(|cause| Failed {
                again: is_in_the_way(&cause),
                error: failure(format!("commit {name}"))(cause),
            })?;
            failpoint::reached("migration committed");
            Ok(done)
        })
    }

    /// Runs statements that each take effect by themselves. Nothing limits how long they wait: those
    /// for which this is meant hold nobody up while they do.
    fn run_one_by_one(&mut self, step: &Step<'_>) -> Result<()> {
        let client = &mut self.client;
        let canceller = self.target.canceller(client);
        let done = cancelled_by(self.halt, &|| canceller.cancel(), || {
            for (number, statement) in step.part.statements.iter().enumerate() {
                run_statement(client, statement, step.path).map_err(|failed| {
                    let hint = format!(
                        "it stays pending; {number} statements before this one have taken effect, and \
                         are run again next time"
                    );
                    failed.hint(&hint).error
                })?;
            }
            record(client, &step.record)
        });
        done.map_err(|error| self.or_interrupted(error))?;
        failpoint::reached("migration committed");
        self.reset()
    }

    fn reset(&mut self) -> Result<()> {
        self.client
            .batch_execute(RESET)
            .and_then(|()| self.client.batch_execute(SETTINGS))
            .map_err(failure("put the session's settings back"))
            .map_err(|error| self.or_interrupted(error))
    }

    fn pause(&self, time: Duration) -> Result<()> {
        let mut left = time;
        while !left.is_zero() && !self.halt.is_stopped() {
            let glance = left.min(GLANCE);
            std::thread::sleep(glance);
            left -= glance;
        }
        self.check_halt()
    }

    /// An error if a signal has come.
    pub(crate) fn check_halt(&self) -> Result<()> {
        if self.halt.is_stopped() {
            return Err(Error::new(
                Kind::Interrupted,
                "interrupted; what was not done yet stays pending",
            ));
        }
        Ok(())
    }

    fn or_interrupted(&self, error: Error) -> Error {
        self.check_halt().err().unwrap_or(error)
    }
}

/// Does `work`, which runs statements; they are cancelled when a signal comes.
fn cancelled_by<T>(halt: &Halt, cancel: &(dyn Fn() + Sync), work: impl FnOnce() -> T) -> T {
    let (done, is_done) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while is_done.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                if halt.is_stopped() {
                    cancel();
                }
            }
        });
        let result = work();
        drop(done);
        result
    })
}
