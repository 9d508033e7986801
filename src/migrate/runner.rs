//! Decides which migrations run, in which order, and reports them.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::folder::place;
use super::interruption;
use super::migration::{
    Migration, MigrationBody, MigrationPart, MigrationPlan, MigrationScript, Phase,
};
use super::report::{MigrationOutcome, MigrationReport};
use super::retry::RetryPolicy;
use super::session::{BuiltInOutcome, Direction, MigrationSession, MigrationStep};
use super::status::{MigrationStatus, StatusRow};
use super::version::Version;
use crate::error::{Error, Result};
use crate::ui::progress::Progress;

/// Runs migrations in a session.
pub struct Runner<'a, S: MigrationSession> {
    /// The session. It holds the lock, except for status and dry runs.
    pub session: &'a mut S,
    /// All migrations, in order.
    pub migrations: &'a [Migration<S::BuiltIn>],
    /// How long they wait for locks.
    pub retry_policy: RetryPolicy,
    /// Where progress is shown.
    pub progress: &'a Progress,
}

impl<'a, S: MigrationSession> Runner<'a, S> {
    /// Runs all pending migrations in the order of their versions, without those that run on request only, and without
    /// post-deployment migrations if `skip_post_deployment`. It ends at the first failure.
    pub fn migrate(&mut self, skip_post_deployment: bool) -> Result<Vec<MigrationReport>> {
        self.session.create_table()?;
        let mut reports = Vec::new();
        for migration in self.pending()? {
            interruption::check(self.session.cancellation())?;
            let outcome = if skip_post_deployment && migration.phase == Phase::PostDeployment {
                MigrationOutcome::Skipped
            } else {
                self.up_one(migration)?
            };
            let report = MigrationReport::of(migration, outcome);
            self.progress.step(&report.to_string());
            reports.push(report);
        }
        Ok(reports)
    }

    /// Runs the migration with this version, in any phase.
    pub fn up(&mut self, version: Version) -> Result<MigrationReport> {
        self.session.create_table()?;
        let migration = self.named(version)?;
        if self.versions()?.contains(&version) {
            return Ok(MigrationReport::of(
                migration,
                MigrationOutcome::WasMigrated,
            ));
        }
        match self.up_one(migration)? {
            MigrationOutcome::Waits(reason) => {
                Err(Error::failed(format!("{migration} waits: {reason}")))
            }
            outcome => Ok(MigrationReport::of(migration, outcome)),
        }
    }

    /// Undoes the migration with this version, or the last one of a file that was run.
    pub fn down(&mut self, version: Option<Version>) -> Result<MigrationReport> {
        let (migration, script, down) = self.undoable(version)?;
        let started = Instant::now();
        self.progress.step(&format!("undoing {migration}"));
        let step = step(migration, script, down, Direction::Down);
        self.session.run(&step, self.retry_policy, self.progress)?;
        Ok(MigrationReport::of(
            migration,
            MigrationOutcome::Reverted(started.elapsed()),
        ))
    }

    /// Which migrations were run, which are pending, and which are unfinished.
    pub fn status(&mut self, target: String) -> Result<MigrationStatus> {
        let recorded = self.session.recorded()?;
        let versions = versions(&recorded);
        let unfinished = self.session.unfinished()?;
        let rows: Vec<StatusRow> = self
            .migrations
            .iter()
            .map(|migration| {
                let found = unfinished.iter().find(|u| u.version == migration.version);
                StatusRow::of(
                    migration,
                    versions.contains(&migration.version),
                    found.cloned(),
                )
            })
            .collect();
        let known = rows.iter().filter(|row| row.migrated).count();
        Ok(MigrationStatus {
            target,
            others: recorded.len().saturating_sub(known),
            rows,
        })
    }

    /// The SQL that [`Runner::migrate`] would run.
    pub fn sql_of_migrate(&mut self, skip_post_deployment: bool) -> Result<String> {
        let mut pending = self.pending()?;
        pending.retain(|m| !(skip_post_deployment && m.phase == Phase::PostDeployment));
        let sql = pending
            .into_iter()
            .map(|migration| self.sql_of_up(migration));
        sql.collect::<Result<Vec<String>>>()
            .map(|all| all.join("\n"))
    }

    /// The SQL that [`Runner::up`] would run.
    pub fn sql_of_one(&mut self, version: Version) -> Result<String> {
        let migration = self.named(version)?;
        if self.versions()?.contains(&version) {
            return Ok(String::new());
        }
        self.sql_of_up(migration)
    }

    /// The SQL that [`Runner::down`] would run.
    pub fn sql_of_down(&mut self, version: Option<Version>) -> Result<String> {
        let (migration, script, down) = self.undoable(version)?;
        self.rendered(&step(migration, script, down, Direction::Down))
    }

    /// The recorded versions. Texts that are no versions are ignored.
    fn versions(&mut self) -> Result<BTreeSet<Version>> {
        Ok(versions(&self.session.recorded()?))
    }

    fn pending(&mut self) -> Result<Vec<&'a Migration<S::BuiltIn>>> {
        let versions = self.versions()?;
        let all = self.migrations.iter();
        let is_pending = |m: &&Migration<S::BuiltIn>| {
            m.phase != Phase::OnRequest && !versions.contains(&m.version)
        };
        Ok(all.filter(is_pending).collect())
    }

    fn named(&self, version: Version) -> Result<&'a Migration<S::BuiltIn>> {
        let mut all = self.migrations.iter();
        all.find(|migration| migration.version == version)
            .ok_or_else(|| {
                Error::usage(format!("there is no migration {version}")).hint(
                    "ci-import migrate status lists them all; --migrations names their folder",
                )
            })
    }

    fn up_one(&mut self, migration: &Migration<S::BuiltIn>) -> Result<MigrationOutcome> {
        self.progress.step(&format!("migrating {migration}"));
        let started = Instant::now();
        let told = match &migration.body {
            MigrationBody::File(script) => {
                let step = step(migration, script, &script.up, Direction::Up);
                self.session.run(&step, self.retry_policy, self.progress)?;
                None
            }
            MigrationBody::BuiltIn(built_in) => {
                let name = (migration.name.as_str(), migration.version);
                let ran =
                    self.session
                        .run_built_in(name, built_in, self.retry_policy, self.progress);
                match ran? {
                    BuiltInOutcome::Waits(reason) => return Ok(MigrationOutcome::Waits(reason)),
                    BuiltInOutcome::Done(told) => Some(told),
                }
            }
        };
        Ok(MigrationOutcome::Migrated(started.elapsed(), told))
    }

    /// A migration that was run, and the part that undoes it.
    fn undoable(
        &mut self,
        version: Option<Version>,
    ) -> Result<(
        &'a Migration<S::BuiltIn>,
        &'a MigrationScript,
        &'a MigrationPart,
    )> {
        let versions = self.versions()?;
        let last = || {
            let mut all = self.migrations.iter().rev();
            let last = all.find(|m| {
                matches!(m.body, MigrationBody::File(_)) && versions.contains(&m.version)
            });
            last.ok_or_else(|| {
                Error::usage("there is nothing to undo: no migration of a file was run")
            })
        };
        let migration = version.map_or_else(last, |version| self.named(version))?;
        if !versions.contains(&migration.version) {
            return Err(Error::usage(format!("{migration} was not run")));
        }
        let MigrationBody::File(script) = &migration.body else {
            return Err(Error::usage(format!(
                "{migration} is built in, and cannot be undone"
            )));
        };
        let down = script.down.as_ref().ok_or_else(|| {
            Error::usage(format!("{} does not say how to undo it", place(migration)))
                .hint("write that behind a line -- migrate:down")
        })?;
        Ok((migration, script, down))
    }

    fn sql_of_up(&mut self, migration: &Migration<S::BuiltIn>) -> Result<String> {
        match &migration.body {
            MigrationBody::File(script) => {
                self.rendered(&step(migration, script, &script.up, Direction::Up))
            }
            MigrationBody::BuiltIn(built_in) => self.sql_of_built_in(migration, built_in),
        }
    }

    fn sql_of_built_in(
        &mut self,
        migration: &Migration<S::BuiltIn>,
        built_in: &S::BuiltIn,
    ) -> Result<String> {
        let (statements, told) = match self.session.plan(built_in)? {
            MigrationPlan::Wait(reason) => return Ok(format!("-- {migration} waits: {reason}\n")),
            MigrationPlan::Run { statements, told } => (statements, told),
        };
        let part = MigrationPart {
            statements: statements.into_iter().map(Into::into).collect(),
            no_transaction: false,
        };
        let step = MigrationStep {
            name: format!("{migration}: {told}"),
            path: Path::new("built in"),
            part: &part,
            version: migration.version,
            direction: Direction::Up,
        };
        self.rendered(&step)
    }

    fn rendered(&mut self, step: &MigrationStep<'_>) -> Result<String> {
        self.session.rendered(step, self.retry_policy)
    }
}

fn step<'s, B>(
    migration: &Migration<B>,
    script: &'s MigrationScript,
    part: &'s MigrationPart,
    direction: Direction,
) -> MigrationStep<'s> {
    MigrationStep {
        name: migration.to_string(),
        version: migration.version,
        direction,
        path: &script.path,
        part,
    }
}

fn versions(recorded: &[String]) -> BTreeSet<Version> {
    recorded.iter().filter_map(|v| Version::parse(v)).collect()
}
