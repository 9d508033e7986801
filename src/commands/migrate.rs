//! `ci-import migrate`: runs the pending migrations, both built-in ones and those of a folder; lists them; runs
//! or undoes one.

use std::convert::Infallible;
use std::fmt;
use std::path::Path;

use serde_json::{Value, json};

use super::destination::PreparedTarget;
use crate::cancellation::{Cancellation, stop};
use crate::cli::settings::{MigrateSettings, Migrating};
use crate::error::Result;
use crate::migrate::{
    self, DEFAULT_FOLDER, Dialect, Migration, MigrationReport, MigrationSession, MigrationStatus,
    MigrationSummary, Runner,
};
use crate::server::InMigrationSession;
use crate::ui::progress::Progress;

/// The result of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrateResult {
    /// The migrations that were run or undone.
    Summary(MigrationSummary),
    /// The status of all migrations.
    Status(MigrationStatus),
    /// The SQL that would run.
    Sql(String),
}

impl MigrateResult {
    /// Whether the result is what was asked for, and not the report of a run.
    #[must_use]
    pub fn was_asked_for(&self) -> bool {
        !matches!(self, MigrateResult::Summary(_))
    }

    /// For a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            MigrateResult::Summary(summary) => summary.to_json(),
            MigrateResult::Status(status) => status.to_json(),
            MigrateResult::Sql(sql) => json!({"sql": sql}),
        }
    }
}

impl fmt::Display for MigrateResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MigrateResult::Summary(summary) => summary.fmt(f),
            MigrateResult::Status(status) => status.fmt(f),
            MigrateResult::Sql(sql) => f.write_str(sql),
        }
    }
}

/// Runs the command with `settings`.
pub fn run(
    settings: &MigrateSettings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<MigrateResult> {
    // A signal cancels the running statement. What that did must be found out, which may take long.
    let _unhurried = stop::unhurried();
    // Files are read first: an error in one leaves the target untouched.
    let dialect = settings.destination.migration_dialect();
    let own = own_migrations(settings.folder.as_deref(), dialect)?;
    let ready = PreparedTarget::existing(&settings.destination, false, progress)?;
    let schema = settings.schema.as_deref();
    let command = MigrateCommand {
        own,
        settings,
        progress,
        shown: ready.shown(),
    };
    ready
        .target
        .in_migration_session(schema, cancellation, command)
}

/// The command for any server.
struct MigrateCommand<'a> {
    settings: &'a MigrateSettings,
    own: Vec<Migration<Infallible>>,
    progress: &'a Progress,
    /// What the target is called.
    shown: String,
}

impl InMigrationSession for MigrateCommand<'_> {
    type Done = MigrateResult;

    fn run<S: MigrationSession>(
        self,
        mut session: S,
        concerning: impl FnOnce(&mut S) -> Result<Vec<Migration<S::BuiltIn>>>,
    ) -> Result<MigrateResult> {
        let (settings, target) = (self.settings, self.shown);
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
            retry_policy: settings.retry_policy,
            progress: self.progress,
        };
        if settings.migrating == Migrating::Status {
            return runner.status(target).map(MigrateResult::Status);
        }
        if settings.dry_run {
            return dry_run(&mut runner, settings.migrating).map(MigrateResult::Sql);
        }
        let migrations = migrate(&mut runner, settings.migrating)?;
        Ok(MigrateResult::Summary(MigrationSummary {
            target,
            migrations,
        }))
    }
}

fn own_migrations(folder: Option<&Path>, dialect: Dialect) -> Result<Vec<Migration<Infallible>>> {
    match folder {
        Some(folder) => migrate::read(folder, dialect),
        None if Path::new(DEFAULT_FOLDER).is_dir() => {
            migrate::refuse_strangers(Path::new(DEFAULT_FOLDER))?;
            migrate::read(Path::new(DEFAULT_FOLDER), dialect)
        }
        None => Ok(Vec::new()),
    }
}

fn migrate<S: MigrationSession>(
    runner: &mut Runner<'_, S>,
    migrating: Migrating,
) -> Result<Vec<MigrationReport>> {
    match migrating {
        Migrating::All {
            skip_post_deployment,
        } => runner.migrate(skip_post_deployment),
        Migrating::Up(version) => Ok(vec![runner.up(version)?]),
        Migrating::Down(version) => Ok(vec![runner.down(version)?]),
        Migrating::Status => Ok(Vec::new()),
    }
}

fn dry_run<S: MigrationSession>(
    runner: &mut Runner<'_, S>,
    migrating: Migrating,
) -> Result<String> {
    match migrating {
        Migrating::All {
            skip_post_deployment,
        } => runner.sql_of_migrate(skip_post_deployment),
        Migrating::Up(version) => runner.sql_of_one(version),
        Migrating::Down(version) => runner.sql_of_down(version),
        Migrating::Status => Ok(String::new()),
    }
}
