//! `ci-import migrate`: runs the pending migrations, those that are built in and those of a folder;
//! lists them, runs or undoes one.

use std::convert::Infallible;
use std::fmt;
use std::path::Path;

use serde_json::{Value, json};

use super::destination::PreparedTarget;
use crate::cancellation::Halt;
use crate::cli::settings::{Destination, MigrateSettings, Migrating};
use crate::error::{Error, Result};
use crate::migrate::{
    self, DEFAULT_FOLDER, Dialect, Finding, Migrates, Migration, Runner, Status, Summary,
};
use crate::server::Target;
use crate::server::mysql::gitlab::migrations as of_mysql;
use crate::server::mysql::migrate as mysql;
use crate::server::postgresql::gitlab::migrations::concerning;
use crate::server::postgresql::migrate as postgresql;
use crate::ui::progress::Progress;

/// What is told at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// What was done.
    Summary(Summary),
    /// What there is.
    Status(Status),
    /// What would be run.
    Sql(String),
}

impl Told {
    /// Whether it is all that the run was for, and not the account of something else.
    #[must_use]
    pub fn was_asked_for(&self) -> bool {
        !matches!(self, Told::Summary(_))
    }

    /// For a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Told::Summary(summary) => summary.to_json(),
            Told::Status(status) => status.to_json(),
            Told::Sql(sql) => json!({"sql": sql}),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Told::Summary(summary) => summary.fmt(f),
            Told::Status(status) => status.fmt(f),
            Told::Sql(sql) => f.write_str(sql),
        }
    }
}

/// Does what `settings` ask for.
pub fn run(settings: &MigrateSettings, progress: &Progress, halt: &Halt) -> Result<Told> {
    // Files are read first: one that is wrong is no reason to touch the target.
    let dialect = dialect(&settings.destination);
    let asked = Asked {
        own: own_migrations(settings.folder.as_deref(), dialect)?,
        settings,
        progress,
    };
    let ready = PreparedTarget::existing(&settings.destination, false, progress)?;
    let shown = ready.shown();
    match &ready.target {
        Target::Postgresql(target) => {
            let schema = settings.schema.as_deref();
            let session = postgresql::Session::open_in(target, schema, halt)?;
            asked.run_in(session, shown, |session| {
                let schema = session.schema().to_owned();
                concerning(session.client(), &schema)
            })
        }
        Target::Mysql(target) => {
            let database = target.database();
            if let Some(named) = settings
                .schema
                .as_deref()
                .filter(|named| *named != database)
            {
                return Err(Error::usage(format!(
                    "--schema {named}: in MySQL a schema is a database, and the target is {database}"
                ))
                .hint("name the database where the target is named"));
            }
            let session = mysql::Session::open(target, halt)?;
            asked.run_in(session, shown, |session| {
                let database = session.database().to_owned();
                of_mysql::concerning(session.connection(), &database)
            })
        }
    }
}

/// What is asked for, whatever the server is.
struct Asked<'a> {
    settings: &'a MigrateSettings,
    own: Vec<Migration<Infallible>>,
    progress: &'a Progress,
}

impl Asked<'_> {
    /// Does it in `session`, with the built-in migrations that `concerning` finds to concern the target
    /// that is called `target`.
    fn run_in<S: Migrates>(
        self,
        mut session: S,
        target: String,
        concerning: impl FnOnce(&mut S) -> Result<Vec<Migration<S::BuiltIn>>>,
    ) -> Result<Told> {
        let settings = self.settings;
        let only_looks = settings.dry_run || settings.migrating == Migrating::Status;
        if !only_looks {
            session.lock(self.progress)?;
        }
        let mut migrations = concerning(&mut session)?;
        migrations.extend(self.own.into_iter().map(Migration::among));
        let migrations = migrate::ordered(migrations)?;
        let mut runner = Runner {
            session: &mut session,
            migrations: &migrations,
            patience: settings.patience,
            progress: self.progress,
        };
        if settings.migrating == Migrating::Status {
            return runner.status(target).map(Told::Status);
        }
        if settings.dry_run {
            return dry_run(&mut runner, settings.migrating).map(Told::Sql);
        }
        let findings = migrate(&mut runner, settings.migrating)?;
        Ok(Told::Summary(Summary { target, findings }))
    }
}

/// Whose SQL migrations of `destination` are written in.
fn dialect(destination: &Destination) -> Dialect {
    match destination {
        Destination::Named { target, .. } => match **target {
            Target::Postgresql(_) => postgresql::DIALECT,
            Target::Mysql(_) => mysql::DIALECT,
        },
        Destination::Private { .. } => postgresql::DIALECT,
    }
}

fn own_migrations(folder: Option<&Path>, dialect: Dialect) -> Result<Vec<Migration<Infallible>>> {
    match folder {
        Some(folder) => migrate::read(folder, dialect),
        None if Path::new(DEFAULT_FOLDER).is_dir() => {
            migrate::read(Path::new(DEFAULT_FOLDER), dialect)
        }
        None => Ok(Vec::new()),
    }
}

fn migrate<S: Migrates>(runner: &mut Runner<'_, S>, migrating: Migrating) -> Result<Vec<Finding>> {
    match migrating {
        Migrating::All {
            skip_post_deployment,
        } => runner.migrate(skip_post_deployment),
        Migrating::Up(version) => Ok(vec![runner.up(version)?]),
        Migrating::Down(version) => Ok(vec![runner.down(version)?]),
        Migrating::Status => Ok(Vec::new()),
    }
}

fn dry_run<S: Migrates>(runner: &mut Runner<'_, S>, migrating: Migrating) -> Result<String> {
    match migrating {
        Migrating::All {
            skip_post_deployment,
        } => runner.sql_of_migrate(skip_post_deployment),
        Migrating::Up(version) => runner.sql_of_one(version),
        Migrating::Down(version) => runner.sql_of_down(version),
        Migrating::Status => Ok(String::new()),
    }
}
