//! What came of a run of migrations, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::migration::{Migration, Phase};
use super::version::Version;

/// What came of one migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was run, in this time; a built-in one says what it did.
    Migrated(Duration, Option<String>),
    /// It was undone, in this time.
    Reverted(Duration),
    /// It stays pending, for this reason.
    Waits(String),
    /// It stays pending, since post-deployment migrations were to be left.
    Skipped,
    /// It was to be run, and was before.
    WasMigrated,
}

/// A migration and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// When it may run.
    pub phase: Phase,
    /// What came of it.
    pub outcome: Outcome,
}

impl Finding {
    /// That of `migration`.
    #[must_use]
    pub fn of<B>(migration: &Migration<B>, outcome: Outcome) -> Finding {
        Finding {
            version: migration.version,
            name: migration.name.clone(),
            phase: migration.phase,
            outcome,
        }
    }

    /// Whether it is still to be run.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.outcome, Outcome::Waits(_) | Outcome::Skipped)
    }

    /// For a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (outcome, seconds, what) = match &self.outcome {
            Outcome::Migrated(time, told) => ("migrated", Some(time), told.as_deref()),
            Outcome::Reverted(time) => ("reverted", Some(time), None),
            Outcome::Waits(reason) => ("waits", None, Some(reason.as_str())),
            Outcome::Skipped => ("skipped", None, None),
            Outcome::WasMigrated => ("was migrated", None, None),
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

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.version, self.name)?;
        match &self.outcome {
            Outcome::Migrated(time, told) => {
                let told = told.as_deref().map(|told| format!(": {told}"));
                let seconds = time.as_secs_f64();
                write!(f, "migrated in {seconds:.1} s{}", told.unwrap_or_default())
            }
            Outcome::Reverted(time) => write!(f, "reverted in {:.1} s", time.as_secs_f64()),
            Outcome::Waits(reason) => write!(f, "waits: {reason}"),
            Outcome::Skipped => write!(f, "left for after the deployment"),
            Outcome::WasMigrated => write!(f, "was migrated before"),
        }
    }
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The target.
    pub target: String,
    /// The migrations that were to be run or undone, in order.
    pub findings: Vec<Finding>,
}

impl Summary {
    /// For a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(Finding::to_json).collect();
        json!({"target": self.target, "migrations": findings})
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return writeln!(f, "nothing is pending in {}", self.target);
        }
        writeln!(f, "in {}", self.target)?;
        let mut findings = self.findings.iter();
        findings.try_for_each(|finding| writeln!(f, "  {finding}"))
    }
}
