//! `ci-import migrate`: runs the pending migrations, those that are built in and those of a folder;
//! lists them, runs or undoes one.

use std::fmt;
use std::path::Path;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::gitlab::migrations::concerning;
use crate::halt::Halt;
use crate::import::Ready;
use crate::migrate::{self, DEFAULT_FOLDER, Finding, Migration, Runner, Session, Status, Summary};
use crate::progress::Progress;
use crate::settings::{MigrateSettings, Migrating};
use crate::target::Target;

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
    let own = own_migrations(settings.folder.as_deref())?;
    let ready = Ready::existing(&settings.destination, false, progress)?;
    let Target::Postgresql(target) = &ready.target else {
        return Err(Error::usage(
            "migrations are for PostgreSQL; a MySQL target is not supported yet",
        ));
    };
    let mut session = Session::open(target, halt)?;
    let only_looks = settings.dry_run || settings.migrating == Migrating::Status;
    if !only_looks {
        session.lock(progress)?;
    }
    let schema = session.schema().to_owned();
    let mut migrations = concerning(session.client(), &schema)?;
    migrations.extend(own);
    let migrations = migrate::ordered(migrations)?;
    let mut runner = Runner {
        session: &mut session,
        migrations: &migrations,
        patience: settings.patience,
        progress,
    };
    let target = ready.shown();
    if settings.migrating == Migrating::Status {
        return runner.status(target).map(Told::Status);
    }
    if settings.dry_run {
        return dry_run(&mut runner, settings.migrating).map(Told::Sql);
    }
    let findings = migrate(&mut runner, settings.migrating)?;
    Ok(Told::Summary(Summary { target, findings }))
}

fn own_migrations(folder: Option<&Path>) -> Result<Vec<Migration>> {
    match folder {
        Some(folder) => migrate::read(folder),
        None if Path::new(DEFAULT_FOLDER).is_dir() => migrate::read(Path::new(DEFAULT_FOLDER)),
        None => Ok(Vec::new()),
    }
}

fn migrate(runner: &mut Runner<'_, '_>, migrating: Migrating) -> Result<Vec<Finding>> {
    match migrating {
        Migrating::All {
            skip_post_deployment,
        } => runner.migrate(skip_post_deployment),
        Migrating::Up(version) => Ok(vec![runner.up(version)?]),
        Migrating::Down(version) => Ok(vec![runner.down(version)?]),
        Migrating::Status => Ok(Vec::new()),
    }
}

fn dry_run(runner: &mut Runner<'_, '_>, migrating: Migrating) -> Result<String> {
    match migrating {
        Migrating::All {
            skip_post_deployment,
        } => runner.sql_of_migrate(skip_post_deployment),
        Migrating::Up(version) => runner.sql_of_one(version),
        Migrating::Down(version) => runner.sql_of_down(version),
        Migrating::Status => Ok(String::new()),
    }
}
