//! Which migrations were run and which are pending, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::migration::{Body, Migration, Phase};
use super::version::Version;

/// A migration and whether it was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// When it may run.
    pub phase: Phase,
    /// Whether it is one of this program's own.
    pub built_in: bool,
    /// Whether it was run.
    pub migrated: bool,
}

impl Row {
    /// That of `migration`.
    #[must_use]
    pub fn of(migration: &Migration, migrated: bool) -> Row {
        Row {
            version: migration.version,
            name: migration.name.clone(),
            phase: migration.phase,
            built_in: matches!(migration.body, Body::BuiltIn(_)),
            migrated,
        }
    }

    fn state(&self) -> &'static str {
        if self.migrated { "migrated" } else { "pending" }
    }
}

/// All that is known of a target's migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The target.
    pub target: String,
    /// The migrations, in order.
    pub rows: Vec<Row>,
    /// How many versions the target has that are others': Rails', or of files that are gone.
    pub others: usize,
}

impl Status {
    /// For a program.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "version": row.version.to_string(),
                    "name": row.name,
                    "folder": row.phase.folder(),
                    "built_in": row.built_in,
                    "state": row.state(),
                    "time": row.version.time(),
                })
            })
            .collect();
        let pending = self.rows.iter().filter(|row| !row.migrated).count();
        json!({
            "target": self.target,
            "migrations": rows,
            "pending": pending,
            "other_versions": self.others,
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "in {}\n", self.target)?;
        if self.rows.is_empty() {
            writeln!(f, "there are no migrations")?;
        } else {
            writeln!(
                f,
                "{:8}  {:12}  {:14}  {:19}  name",
                "state", "folder", "version", "written (UTC)"
            )?;
        }
        for row in &self.rows {
            let mark = if row.built_in { " (built in)" } else { "" };
            let (state, folder, time) = (row.state(), row.phase.folder(), row.version.time());
            let (version, name) = (row.version.to_string(), &row.name);
            writeln!(
                f,
                "{state:8}  {folder:12}  {version:14}  {time:19}  {name}{mark}"
            )?;
        }
        if self.others > 0 {
            writeln!(f, "\n{} other versions in schema_migrations", self.others)?;
        }
        Ok(())
    }
}
