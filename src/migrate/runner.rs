//! Which migrations are run, in which order, and what is told of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::folder::place;
use super::migrates::{Migrates, Ran, Step, Way};
use super::migration::{Body, Migration, Part, Phase, Plan, Script};
use super::outcome::{Finding, Outcome};
use super::patience::{self, Patience};
use super::status::{Row, Status};
use super::version::Version;
use crate::error::{Error, Result};
use crate::ui::progress::Progress;

/// Runs migrations in a session.
pub struct Runner<'a, S: Migrates> {
    /// The session. But for what only looks, it holds the lock.
    pub session: &'a mut S,
    /// All there are, in order.
    pub migrations: &'a [Migration<S::BuiltIn>],
    /// How long they wait for locks.
    pub patience: Patience,
    /// Where it is told what is done.
    pub progress: &'a Progress,
}

impl<'a, S: Migrates> Runner<'a, S> {
    /// Runs all that are pending, in the order of their versions; those for after a deployment not,
    /// if `skip_post_deployment`. Ends at the first failure.
    pub fn migrate(&mut self, skip_post_deployment: bool) -> Result<Vec<Finding>> {
        self.session.make_table()?;
        let mut findings = Vec::new();
        for migration in self.pending()? {
            patience::check(self.session.halt())?;
            let outcome = if skip_post_deployment && migration.phase == Phase::PostDeployment {
                Outcome::Skipped
            } else {
                self.up_one(migration)?
            };
            let finding = Finding::of(migration, outcome);
            self.progress.step(&finding.to_string());
            findings.push(finding);
        }
        Ok(findings)
    }

    /// Runs the one with this version, whichever folder it is in.
    pub fn up(&mut self, version: Version) -> Result<Finding> {
        self.session.make_table()?;
        let migration = self.named(version)?;
        if self.versions()?.contains(&version) {
            return Ok(Finding::of(migration, Outcome::WasMigrated));
        }
        match self.up_one(migration)? {
            Outcome::Waits(reason) => Err(Error::failed(format!("{migration} waits: {reason}"))),
            outcome => Ok(Finding::of(migration, outcome)),
        }
    }

    /// Undoes the one with this version, or the last of those in files that was run.
    pub fn down(&mut self, version: Option<Version>) -> Result<Finding> {
        let (migration, script, down) = self.undoable(version)?;
        let started = Instant::now();
        self.progress.step(&format!("undoing {migration}"));
        let step = step(migration, script, down, Way::Down);
        self.session.run(&step, self.patience, self.progress)?;
        Ok(Finding::of(migration, Outcome::Reverted(started.elapsed())))
    }

    /// Which were run, which are pending, and which were left in the middle.
    pub fn status(&mut self, target: String) -> Result<Status> {
        let recorded = self.session.recorded()?;
        let versions = versions(&recorded);
        let unfinished = self.session.unfinished()?;
        let rows: Vec<Row> = self
            .migrations
            .iter()
            .map(|migration| {
                let found = unfinished.iter().find(|u| u.version == migration.version);
                Row::of(
                    migration,
                    versions.contains(&migration.version),
                    found.cloned(),
                )
            })
            .collect();
        let known = rows.iter().filter(|row| row.migrated).count();
        Ok(Status {
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
        self.rendered(&step(migration, script, down, Way::Down))
    }

    /// The versions that were run; those that are no times are left out.
    fn versions(&mut self) -> Result<BTreeSet<Version>> {
        Ok(versions(&self.session.recorded()?))
    }

    fn pending(&mut self) -> Result<Vec<&'a Migration<S::BuiltIn>>> {
        let versions = self.versions()?;
        let all = self.migrations.iter();
        Ok(all.filter(|m| !versions.contains(&m.version)).collect())
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

    fn up_one(&mut self, migration: &Migration<S::BuiltIn>) -> Result<Outcome> {
        self.progress.step(&format!("migrating {migration}"));
        let started = Instant::now();
        let told = match &migration.body {
            Body::File(script) => {
                let step = step(migration, script, &script.up, Way::Up);
                self.session.run(&step, self.patience, self.progress)?;
                None
            }
            Body::BuiltIn(built_in) => {
                let name = (migration.name.as_str(), migration.version);
                let ran = self
                    .session
                    .run_built_in(name, built_in, self.patience, self.progress);
                match ran? {
                    Ran::Waits(reason) => return Ok(Outcome::Waits(reason)),
                    Ran::Done(told) => Some(told),
                }
            }
        };
        Ok(Outcome::Migrated(started.elapsed(), told))
    }

    /// A migration that was run, and how it is undone.
    fn undoable(
        &mut self,
        version: Option<Version>,
    ) -> Result<(&'a Migration<S::BuiltIn>, &'a Script, &'a Part)> {
        let versions = self.versions()?;
        let last = || {
            let mut all = self.migrations.iter().rev();
            let last =
                all.find(|m| matches!(m.body, Body::File(_)) && versions.contains(&m.version));
            last.ok_or_else(|| {
                Error::usage("there is nothing to undo: no migration of a file was run")
            })
        };
        let migration = version.map_or_else(last, |version| self.named(version))?;
        if !versions.contains(&migration.version) {
            return Err(Error::usage(format!("{migration} was not run")));
        }
        let Body::File(script) = &migration.body else {
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
            Body::File(script) => self.rendered(&step(migration, script, &script.up, Way::Up)),
            Body::BuiltIn(built_in) => self.sql_of_built_in(migration, built_in),
        }
    }

    fn sql_of_built_in(
        &mut self,
        migration: &Migration<S::BuiltIn>,
        built_in: &S::BuiltIn,
    ) -> Result<String> {
        let (statements, told) = match self.session.plan(built_in)? {
            Plan::Wait(reason) => return Ok(format!("-- {migration} waits: {reason}\n")),
            Plan::Run { statements, told } => (statements, told),
        };
        let part = Part {
            statements: statements.into_iter().map(Into::into).collect(),
            no_transaction: false,
        };
        let step = Step {
            name: format!("{migration}: {told}"),
            path: Path::new("built in"),
            part: &part,
            version: migration.version,
            way: Way::Up,
        };
        self.rendered(&step)
    }

    fn rendered(&mut self, step: &Step<'_>) -> Result<String> {
        self.session.rendered(step, self.patience)
    }
}

fn step<'s, B>(migration: &Migration<B>, script: &'s Script, part: &'s Part, way: Way) -> Step<'s> {
    Step {
        name: migration.to_string(),
        version: migration.version,
        way,
        path: &script.path,
        part,
    }
}

fn versions(recorded: &[String]) -> BTreeSet<Version> {
    recorded.iter().filter_map(|v| Version::parse(v)).collect()
}
