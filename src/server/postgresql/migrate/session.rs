//! The session that migrates: it holds the lock, runs the statements and records the versions. The lock ends
//! with the session. So after a kill nobody else begins while statements still run.

use std::path::Path;
use std::time::Duration;

use postgres::{Client, GenericClient, Transaction};

use super::built_in::BuiltIn;
use super::concurrent_index::ConcurrentIndex;
use super::lock;
use super::statement::{as_oneself, is_retryable, record, run_statement};
use super::versions;
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::gitlab::live::SETTINGS as SETTINGS_TABLE;
use crate::gitlab::tables::TABLES;
use crate::gitlab::tags::{TAGGINGS, TAGS};
use crate::migrate::interruption::{cancel_on_signal, or_interrupted};
use crate::migrate::retry::AttemptError;
use crate::migrate::{
    BuiltInOutcome, MigrationPlan, MigrationSession, MigrationStatement, MigrationStep,
    RetryPolicy, UnfinishedMigration, Version,
};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::foreign_code;
use crate::server::postgresql::options::ConnectionOptions;
use crate::server::postgresql::search_path::{self, PIN, UNPIN};
use crate::server::postgresql::session::{PINNED, Until, no_time_limits};
use crate::ui::progress::Progress;

/// The settings of every migration, whatever the former one has set. Roles of applications often have timeouts,
/// which are not meant for migrations ([`no_time_limits`]).
const SETTINGS: &str = "\
SET lock_timeout = 0; SET standard_conforming_strings = on; SET client_min_messages = warning";

/// Resets everything that a migration may have set in the session.
const RESET: &str = "\
SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES";

/// The session of a run.
pub struct Session<'a> {
    target: &'a ConnectionOptions,
    cancellation: &'a Cancellation,
    client: Client,
    schema: String,
    /// The search_path, if a schema was named that comes first.
    search_path: Option<String>,
}

impl<'a> Session<'a> {
    /// Connects, to migrate the first schema of the search_path.
    pub fn open(
        target: &'a ConnectionOptions,
        cancellation: &'a Cancellation,
    ) -> Result<Session<'a>> {
        let mut client = connect(target)?;
        let schema = search_path::first_schema(&mut client)?;
        Ok(Session {
            target,
            cancellation,
            client,
            schema,
            search_path: None,
        })
    }

    /// Connects, to migrate the schema `named`, or the first of the search_path. It is an error if the
    /// search_path finds the table of versions in another schema: another tool would migrate that one.
    pub fn open_in(
        target: &'a ConnectionOptions,
        named: Option<&str>,
        cancellation: &'a Cancellation,
    ) -> Result<Session<'a>> {
        let Some(schema) = named else {
            let mut session = Session::open(target, cancellation)?;
            session.check_schema()?;
            return Ok(session);
        };
        let mut client = connect(target)?;
        let row = client.query_one(
            "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)",
            &[&schema],
        );
        let row = row.map_err(failure("look for the schema"))?;
        if !row.get::<_, bool>(0) {
            return Err(Error::target(format!("the target has no schema {schema}"))
                .hint("--schema names the one with the tables; \\dn of psql lists them"));
        }
        let search_path = Some(search_path::put_first(&mut client, schema)?);
        Ok(Session {
            target,
            cancellation,
            client,
            schema: schema.to_owned(),
            search_path,
        })
    }

    fn check_schema(&mut self) -> Result<()> {
        let found = search_path::schema_of_table(&mut self.client, versions::TABLE)?;
        match found.filter(|found| *found != self.schema) {
            None => Ok(()),
            Some(found) => Err(Error::target(format!(
                "{} is in the schema {found}, and the first of the search_path is {}",
                versions::TABLE,
                self.schema
            ))
            .hint(format!(
                "say which is to be migrated: --schema {found} or --schema {}",
                self.schema
            ))),
        }
    }

    /// The same session, for built-in migrations of another schema.
    #[must_use]
    pub fn in_schema(mut self, schema: &str) -> Session<'a> {
        schema.clone_into(&mut self.schema);
        self
    }

    /// The schema that is migrated, with the table of versions.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The connection.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Does `work` in a transaction, with retries.
    fn in_transaction<T>(
        &mut self,
        name: &str,
        retry_policy: RetryPolicy,
        progress: &Progress,
        mut work: impl FnMut(&mut Transaction<'_>, &str) -> std::result::Result<T, AttemptError>,
    ) -> Result<T> {
        let done = retry_policy.run(name, (progress, self.cancellation), || {
            self.attempt(name, retry_policy.lock_timeout, &mut work)
        })?;
        self.reset()?;
        Ok(done)
    }

    fn attempt<T>(
        &mut self,
        name: &str,
        lock_timeout: Duration,
        work: &mut impl FnMut(&mut Transaction<'_>, &str) -> std::result::Result<T, AttemptError>,
    ) -> std::result::Result<T, AttemptError> {
        lock::check(&mut self.client)?;
        let (client, schema) = (&mut self.client, &self.schema);
        let canceller = self.target.canceller(client);
        cancel_on_signal(
            self.cancellation,
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
                transaction.commit().map_err(|cause| AttemptError {
                    is_retryable: is_retryable(&cause),
                    error: failure(format!("commit {name}"))(cause),
                })?;
                failpoint::reached("migration committed");
                Ok(done)
            },
        )
    }

    /// Runs statements outside of a transaction. Nothing limits how long they wait for locks: statements that
    /// need this mode block nobody meanwhile.
    fn run_one_by_one(&mut self, step: &MigrationStep<'_>) -> Result<()> {
        let (client, schema) = (&mut self.client, &self.schema);
        let canceller = self.target.canceller(client);
        let done = cancel_on_signal(
            self.cancellation,
            || canceller.cancel(),
            || {
                for (number, statement) in step.part.statements.iter().enumerate() {
                    lock::check(client)?;
                    let index = ConcurrentIndex::of(&statement.sql);
                    with_user_path(client, UNPIN)?;
                    let done = run_statement(client, statement, step.path);
                    let pinned = with_user_path(client, PIN);
                    done.map_err(|failed| {
                        let left = index.as_ref().and_then(|index| index.hint(client));
                        failed.hint(&left.unwrap_or_else(|| hint(number))).error
                    })?;
                    pinned?;
                    let checked = index.map_or(Ok(()), |index| index.check(client));
                    checked.map_err(|error| error.at(statement.place(step.path, 0)))?;
                }
                let doing = || failure("record the version");
                let mut transaction = client.transaction().map_err(doing())?;
                record_step(&mut transaction, schema, step)?;
                transaction.commit().map_err(doing())
            },
        );
        done.map_err(|error| or_interrupted(self.cancellation, error))?;
        failpoint::reached("migration committed");
        self.reset()
    }

    fn reset(&mut self) -> Result<()> {
        let schema = self.search_path.as_ref().map(|_| self.schema.clone());
        let client = &mut self.client;
        let reset = client.batch_execute(&format!("{RESET}; {PIN}; {PINNED}"));
        reset
            .and_then(|()| prepare(client))
            .map_err(failure("put the session's settings back"))
            .and_then(|()| match schema {
                Some(schema) => search_path::put_first(client, &schema).map(drop),
                None => Ok(()),
            })
            .map_err(|error| or_interrupted(self.cancellation, error))
    }
}

impl MigrationSession for Session<'_> {
    type BuiltIn = BuiltIn;

    fn cancellation(&self) -> &Cancellation {
        self.cancellation
    }

    fn try_lock(&mut self) -> Result<bool> {
        lock::take(&mut self.client)
    }

    fn recorded(&mut self) -> Result<Vec<String>> {
        versions::read(&mut self.client, &self.schema)
    }

    fn create_table(&mut self) -> Result<()> {
        let doing = || failure("make the table of migrations");
        if versions::exists(&mut self.client, &self.schema)? {
            return Ok(());
        }
        let mut transaction = self.client.transaction().map_err(doing())?;
        versions::create(&mut transaction, &self.schema)?;
        transaction.commit().map_err(doing())
    }

    /// There are none: a migration is a transaction, or starts again from its beginning.
    fn unfinished(&mut self) -> Result<Vec<UnfinishedMigration>> {
        Ok(Vec::new())
    }

    /// Statements and record are one transaction, unless the file forbids it.
    fn run(
        &mut self,
        step: &MigrationStep<'_>,
        retry_policy: RetryPolicy,
        progress: &Progress,
    ) -> Result<()> {
        if step.part.no_transaction {
            return self.run_one_by_one(step);
        }
        self.in_transaction(&step.name, retry_policy, progress, |transaction, schema| {
            with_user_path(transaction, UNPIN)?;
            for statement in &step.part.statements {
                let done = run_statement(transaction, statement, step.path);
                done.map_err(|failed| failed.hint("nothing of it is there; it stays pending"))?;
            }
            with_user_path(transaction, PIN)?;
            record_step(transaction, schema, step)?;
            Ok(())
        })
    }

    fn run_built_in(
        &mut self,
        (name, version): (&str, Version),
        built_in: &BuiltIn,
        retry_policy: RetryPolicy,
        progress: &Progress,
    ) -> Result<BuiltInOutcome> {
        self.in_transaction(name, retry_policy, progress, |transaction, schema| {
            foreign_code::lock_and_refuse(transaction, schema, &written())?;
            for sql in (built_in.lock)(transaction, schema)? {
                run_statement(transaction, &MigrationStatement::from(sql), Path::new(name))?;
            }
            match (built_in.plan)(transaction, schema)? {
                MigrationPlan::Wait(reason) => Ok(BuiltInOutcome::Waits(reason)),
                MigrationPlan::Run { statements, told } => {
                    for sql in statements {
                        run_statement(
                            transaction,
                            &MigrationStatement::from(sql),
                            Path::new(name),
                        )?;
                    }
                    record(transaction, &versions::record(schema, version))?;
                    Ok(BuiltInOutcome::Done(told))
                }
            }
        })
    }

    fn plan(&mut self, built_in: &BuiltIn) -> Result<MigrationPlan> {
        let doing = || failure("look at the target");
        let mut transaction = self.client.transaction().map_err(doing())?;
        (built_in.plan)(&mut transaction, &self.schema)
    }

    fn rendered(&mut self, step: &MigrationStep<'_>, retry_policy: RetryPolicy) -> Result<String> {
        let statements = step.part.statements.iter();
        let statements: String = statements.map(|s| format!("{};\n", s.sql)).collect();
        let mut heading = format!("-- {} ({})", step.name, step.path.display());
        if let Some(search_path) = &self.search_path {
            heading += &format!("\nSET search_path = {search_path};");
        }
        let record = recording(&self.schema, step);
        if step.part.no_transaction {
            return Ok(format!("{heading}\n{statements}{record};\n"));
        }
        let timeout = retry_policy.lock_timeout.as_millis();
        Ok(format!(
            "{heading}\nBEGIN;\nSET LOCAL lock_timeout = {timeout};\n{statements}{record};\nCOMMIT;\n"
        ))
    }
}

/// Records a step that an admin's statements have made, if that runs nobody else's code.
fn record_step(
    transaction: &mut Transaction<'_>,
    schema: &str,
    step: &MigrationStep<'_>,
) -> Result<()> {
    as_oneself(transaction)?;
    foreign_code::lock_and_refuse(transaction, schema, &[versions::TABLE])?;
    record(transaction, &recording(schema, step))
}

fn connect(target: &ConnectionOptions) -> Result<Client> {
    let mut client = target.connect()?;
    prepare(&mut client).map_err(failure("prepare the session"))?;
    Ok(client)
}

/// Applies the settings of every migration.
fn prepare(client: &mut Client) -> std::result::Result<(), postgres::Error> {
    client.batch_execute(&format!(
        "{SETTINGS}; {}",
        no_time_limits(Until::Disconnect)
    ))
}

/// Gives the statements of an admin the search_path that he expects, or takes it back: `switch` is [`UNPIN`] or [`PIN`],
/// which keeps it for the next statement.
fn with_user_path(client: &mut impl GenericClient, switch: &str) -> Result<()> {
    client
        .batch_execute(switch)
        .map_err(failure("set the search_path"))
}

/// The tables that built-in migrations write to.
fn written() -> Vec<&'static str> {
    let all = [versions::TABLE, SETTINGS_TABLE, TAGS, TAGGINGS];
    all.into_iter().chain(TABLES).collect()
}

/// The hint after the failure of a statement outside of a transaction, after `before` others that took effect.
fn hint(before: usize) -> String {
    if before == 0 {
        return "it stays pending, and nothing of it has taken effect".to_owned();
    }
    format!(
        "it stays pending; {before} statements before this one have taken effect, and are run again next time"
    )
}

/// The statement that records `step`.
fn recording(schema: &str, step: &MigrationStep<'_>) -> String {
    step.recording(schema, versions::record, versions::forget)
}
