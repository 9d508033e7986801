//! The session that migrates: it holds the lock, runs the statements and keeps the record. The lock is
//! gone when the session is, so also after a kill nobody else begins while statements still run.

use std::path::Path;
use std::time::Duration;

use postgres::{Client, Transaction};

use super::super::migrates::{Migrates, Ran, Step, Unfinished, Way};
use super::super::migration::{Plan, Statement};
use super::super::patience::{Failed, Patience, cancelled_by, or_interrupted};
use super::super::version::Version;
use super::built_in::BuiltIn;
use super::statement::{is_in_the_way, record, run_statement};
use super::versions;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::halt::Halt;
use crate::load::{Target, failure};
use crate::progress::Progress;

/// Of the advisory lock that one run at a time has in a database; any number, but always the same.
const LOCK_KEY: i64 = 0x6369_2d6d_6967_7261;

/// What migrations find, whatever the one before has set. Roles that serve applications often have
/// timeouts, which are not meant for this.
const SETTINGS: &str = "\
SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
SET lock_timeout = 0; SET standard_conforming_strings = on; SET client_min_messages = warning";

/// Puts everything back that a migration may have set in the session.
const RESET: &str = "\
SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES";

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

    /// Does `work` in a transaction, again and again where others are in the way.
    fn persist<T>(
        &mut self,
        name: &str,
        patience: Patience,
        progress: &Progress,
        mut work: impl FnMut(&mut Transaction<'_>, &str) -> std::result::Result<T, Failed>,
    ) -> Result<T> {
        let done = patience.persist(name, (progress, self.halt), || {
            self.attempt(name, patience.lock_timeout, &mut work)
        })?;
        self.reset()?;
        Ok(done)
    }

    fn attempt<T>(
        &mut self,
        name: &str,
        lock_timeout: Duration,
        work: &mut impl FnMut(&mut Transaction<'_>, &str) -> std::result::Result<T, Failed>,
    ) -> std::result::Result<T, Failed> {
        let (client, schema) = (&mut self.client, &self.schema);
        let canceller = self.target.canceller(client);
        cancelled_by(
            self.halt,
            || canceller.cancel(),
            || {
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
            },
        )
    }

    /// Runs statements that each take effect by themselves. Nothing limits how long they wait: those
    /// for which this is meant hold nobody up while they do.
    fn run_one_by_one(&mut self, step: &Step<'_>) -> Result<()> {
        let sql = recording(&self.schema, step);
        let client = &mut self.client;
        let canceller = self.target.canceller(client);
        let done = cancelled_by(
            self.halt,
            || canceller.cancel(),
            || {
                for (number, statement) in step.part.statements.iter().enumerate() {
                    run_statement(client, statement, step.path).map_err(|failed| {
                    let hint = format!(
                        "it stays pending; {number} statements before this one have taken effect, and \
                         are run again next time"
                    );
                    failed.hint(&hint).error
                })?;
                }
                record(client, &sql)
            },
        );
        done.map_err(|error| or_interrupted(self.halt, error))?;
        failpoint::reached("migration committed");
        self.reset()
    }

    fn reset(&mut self) -> Result<()> {
        self.client
            .batch_execute(RESET)
            .and_then(|()| self.client.batch_execute(SETTINGS))
            .map_err(failure("put the session's settings back"))
            .map_err(|error| or_interrupted(self.halt, error))
    }
}

impl Migrates for Session<'_> {
    type BuiltIn = BuiltIn;

    fn halt(&self) -> &Halt {
        self.halt
    }

    fn try_lock(&mut self) -> Result<bool> {
        let row = self
            .client
            .query_one("SELECT pg_catalog.pg_try_advisory_lock($1)", &[&LOCK_KEY])
            .map_err(failure("take the lock of migrations"))?;
        Ok(row.get(0))
    }

    fn recorded(&mut self) -> Result<Vec<String>> {
        versions::read(&mut self.client, &self.schema)
    }

    fn make_table(&mut self) -> Result<()> {
        let doing = || failure("make the table of migrations");
        if versions::exists(&mut self.client, &self.schema)? {
            return Ok(());
        }
        let mut transaction = self.client.transaction().map_err(doing())?;
        versions::make(&mut transaction, &self.schema)?;
        transaction.commit().map_err(doing())
    }

    /// None: a migration is a transaction, or begins anew.
    fn unfinished(&mut self) -> Result<Vec<Unfinished>> {
        Ok(Vec::new())
    }

    /// Both or neither, unless the file wants it otherwise.
    fn run(&mut self, step: &Step<'_>, patience: Patience, progress: &Progress) -> Result<()> {
        if step.part.no_transaction {
            return self.run_one_by_one(step);
        }
        self.persist(&step.name, patience, progress, |transaction, schema| {
            for statement in &step.part.statements {
                let done = run_statement(transaction, statement, step.path);
                done.map_err(|failed| failed.hint("nothing of it is there; it stays pending"))?;
            }
            record(transaction, &recording(schema, step))?;
            Ok(())
        })
    }

    fn run_built_in(
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

    fn plan(&mut self, built_in: &BuiltIn) -> Result<Plan> {
        let doing = || failure("look at the target");
        let mut transaction = self.client.transaction().map_err(doing())?;
        (built_in.plan)(&mut transaction, &self.schema)
    }

    fn rendered(&mut self, step: &Step<'_>, patience: Patience) -> Result<String> {
        let statements = step.part.statements.iter();
        let statements: String = statements.map(|s| format!("{};\n", s.sql)).collect();
        let heading = format!("-- {} ({})", step.name, step.path.display());
        let record = recording(&self.schema, step);
        if step.part.no_transaction {
            return Ok(format!("{heading}\n{statements}{record};\n"));
        }
        let timeout = patience.lock_timeout.as_millis();
        Ok(format!(
            "{heading}\nBEGIN;\nSET LOCAL lock_timeout = {timeout};\n{statements}{record};\nCOMMIT;\n"
        ))
    }
}

/// The statement that records what `step` does.
fn recording(schema: &str, step: &Step<'_>) -> String {
    match step.way {
        Way::Up => versions::record(schema, step.version),
        Way::Down => versions::forget(schema, step.version),
    }
}
