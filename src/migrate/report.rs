//! The report of a run of migrations, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::migration::{Migration, Phase};
use super::version::Version;
use crate::ui::shown::write_line;

/// The outcome of one migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationOutcome {
    /// It was run in this time. A built-in migration says what it did.
    Migrated(Duration, Option<String>),
    /// It was undone in this time.
    Reverted(Duration),
    /// It stays pending, for this reason.
    Waits(String),
    /// It stays pending, since post-deployment migrations were skipped.
    Skipped,
    /// It was requested but had been run before.
    WasMigrated,
}

/// A migration and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationReport {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// When it may run.
    pub phase: Phase,
    /// Its outcome.
    pub outcome: MigrationOutcome,
}

impl MigrationReport {
    /// The report of `migration`.
    #[must_use]
    pub fn of<B>(migration: &Migration<B>, outcome: MigrationOutcome) -> MigrationReport {
        MigrationReport {
            version: migration.version,
            name: migration.name.clone(),
            phase: migration.phase,
            outcome,
        }
    }

    /// Whether it is still pending.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(
            self.outcome,
            MigrationOutcome::Waits(_) | MigrationOutcome::Skipped
        )
    }

    /// For a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (outcome, seconds, what) = match &self.outcome {
            MigrationOutcome::Migrated(time, told) => ("migrated", Some(time), told.as_deref()),
            MigrationOutcome::Reverted(time) => ("reverted", Some(time), None),
            MigrationOutcome::Waits(reason) => ("waits", None, Some(reason.as_str())),
            MigrationOutcome::Skipped => ("skipped", None, None),
            MigrationOutcome::WasMigrated => ("was migrated", None, None),
        };
        json!({
            "version": self.version.to_string(),
            "name": self.name,
            "folder": self.phase.folder(),
            "outcome": outcome,
            "seconds": seconds.map(Duration::as_secs_f64),
            "what": what,
        })
    }
}

impl fmt::Display for MigrationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.version, self.name)?;
        match &self.outcome {
            MigrationOutcome::Migrated(time, told) => {
                let told = told.as_deref().map(|told| format!(": {told}"));
                let seconds = time.as_secs_f64();
                write!(f, "migrated in {seconds:.1} s{}", told.unwrap_or_default())
            }
            MigrationOutcome::Reverted(time) => {
                write!(f, "reverted in {:.1} s", time.as_secs_f64())
            }
            MigrationOutcome::Waits(reason) => write!(f, "waits: {reason}"),
            MigrationOutcome::Skipped => write!(f, "left for after the deployment"),
            MigrationOutcome::WasMigrated => write!(f, "was migrated before"),
        }
    }
}

/// The reports of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationSummary {
    /// The target.
    pub target: String,
    /// The migrations that were to be run or undone, in order.
    pub migrations: Vec<MigrationReport>,
}

impl MigrationSummary {
    /// For a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let migrations = self.migrations.iter();
        let migrations: Vec<Value> = migrations.map(MigrationReport::to_json).collect();
        json!({"target": self.target, "migrations": migrations})
    }
}

impl fmt::Display for MigrationSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.migrations.is_empty() {
            return write_line!(f, "nothing is pending in {}", self.target);
        }
        write_line!(f, "in {}", self.target)?;
        let mut migrations = self.migrations.iter();
        migrations.try_for_each(|report| write_line!(f, "  {report}"))
    }
}
