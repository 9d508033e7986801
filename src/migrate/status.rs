//! The status of migrations, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::migration::{Migration, MigrationBody, MigrationScript, Phase};
use super::session::{Direction, UnfinishedMigration};
use super::version::Version;
use crate::ui::shown::write_line;

/// A migration and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// When it may run.
    pub phase: Phase,
    /// Whether it is built into this program.
    pub built_in: bool,
    /// Whether it was run.
    pub migrated: bool,
    /// Its progress, if it is unfinished.
    pub unfinished: Option<UnfinishedState>,
}

/// The progress of an unfinished migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedState {
    /// What is recorded of it.
    pub recorded: UnfinishedMigration,
    /// The number of its statements; 0 if its file does not undo it any more.
    pub statements: usize,
    /// The line of the statement that runs next.
    pub line: Option<usize>,
}

impl StatusRow {
    /// The row of `migration`.
    #[must_use]
    pub fn of<B>(
        migration: &Migration<B>,
        migrated: bool,
        unfinished: Option<UnfinishedMigration>,
    ) -> StatusRow {
        let script = match &migration.body {
            MigrationBody::File(script) => Some(script),
            MigrationBody::BuiltIn(_) => None,
        };
        StatusRow {
            version: migration.version,
            name: migration.name.clone(),
            phase: migration.phase,
            built_in: script.is_none(),
            migrated,
            unfinished: unfinished
                .zip(script)
                .map(|(recorded, script)| UnfinishedState::of(recorded, script)),
        }
    }

    fn state(&self) -> &'static str {
        match self.unfinished {
            Some(_) => "begun",
            None if self.migrated => "migrated",
            None if self.phase == Phase::OnRequest => "optional",
            None => "pending",
        }
    }

    fn is_pending(&self) -> bool {
        !self.migrated && self.phase != Phase::OnRequest
    }
}

impl UnfinishedState {
    fn of(recorded: UnfinishedMigration, script: &MigrationScript) -> UnfinishedState {
        let part = match recorded.direction {
            Direction::Up => Some(&script.up),
            Direction::Down => script.down.as_ref(),
        };
        let statements = part.map_or(&[][..], |part| &part.statements);
        UnfinishedState {
            statements: statements.len(),
            line: statements
                .get(recorded.done)
                .and_then(|statement| statement.line),
            recorded,
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "way": match self.recorded.direction { Direction::Up => "up", Direction::Down => "down" },
            "statements_done": self.recorded.done,
            "statements": self.statements,
            "doubtful_statement": self.recorded.doubtful,
            "next_line": self.line,
        })
    }
}

impl fmt::Display for UnfinishedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnfinishedState {
            recorded,
            statements,
            line,
        } = self;
        let doing = match recorded.direction {
            Direction::Up => "run",
            Direction::Down => "undone",
        };
        write!(
            f,
            "it was being {doing}: {} of {statements} statements are done",
            recorded.done
        )?;
        if let Some(line) = line {
            let begun = if recorded.doubtful.is_some() {
                ", which was begun"
            } else {
                ""
            };
            write!(f, "; it goes on with line {line}{begun}")?;
        }
        Ok(())
    }
}

/// The status of all migrations of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// The target.
    pub target: String,
    /// The migrations, in order.
    pub rows: Vec<StatusRow>,
    /// The number of recorded versions without a migration here: those of Rails, or of files that are gone.
    pub others: usize,
}

impl MigrationStatus {
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
                    "left": row.unfinished.as_ref().map(UnfinishedState::to_json),
                })
            })
            .collect();
        let pending = self.rows.iter().filter(|row| row.is_pending()).count();
        json!({
            "target": self.target,
            "migrations": rows,
            "pending": pending,
            "other_versions": self.others,
        })
    }
}

impl fmt::Display for MigrationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line!(f, "in {}", self.target)?;
        writeln!(f)?;
        if self.rows.is_empty() {
            writeln!(f, "there are no migrations")?;
        } else {
            write_line!(
                f,
                "{:8}  {:12}  {:14}  {:19}  name",
                "state",
                "folder",
                "version",
                "written (UTC)"
            )?;
        }
        for row in &self.rows {
            let mark = if row.built_in { " (built in)" } else { "" };
            let (state, folder, time) = (row.state(), row.phase.folder(), row.version.time());
            let (version, name) = (row.version.to_string(), &row.name);
            write_line!(
                f,
                "{state:8}  {folder:12}  {version:14}  {time:19}  {name}{mark}"
            )?;
            if let Some(unfinished) = &row.unfinished {
                write_line!(f, "{:10}{unfinished}", "")?;
            }
        }
        if self.others > 0 {
            writeln!(f)?;
            write_line!(f, "{} other versions in schema_migrations", self.others)?;
        }
        Ok(())
    }
}
