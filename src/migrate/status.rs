//! Which migrations were run and which are pending, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::migrates::{Unfinished, Way};
use super::migration::{Body, Migration, Phase, Script};
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
    /// Where it was left, if that is in the middle.
    pub left: Option<Left>,
}

/// A migration that was left in the middle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// How far it has come.
    pub at: Unfinished,
    /// How many statements it has; none if its file is gone.
    pub statements: usize,
    /// The line of the statement it goes on with.
    pub line: Option<usize>,
}

impl Row {
    /// That of `migration`.
    #[must_use]
    pub fn of<B>(migration: &Migration<B>, migrated: bool, left: Option<Unfinished>) -> Row {
        let script = match &migration.body {
            Body::File(script) => Some(script),
            Body::BuiltIn(_) => None,
        };
        Row {
            version: migration.version,
            name: migration.name.clone(),
            phase: migration.phase,
            built_in: script.is_none(),
            migrated,
            left: left.zip(script).map(|(at, script)| Left::of(at, script)),
        }
    }

    fn state(&self) -> &'static str {
        match self.left {
            Some(_) => "begun",
            None if self.migrated => "migrated",
            None => "pending",
        }
    }
}

impl Left {
    fn of(at: Unfinished, script: &Script) -> Left {
        let part = match at.way {
            Way::Up => Some(&script.up),
            Way::Down => script.down.as_ref(),
        };
        let statements = part.map_or(&[][..], |part| &part.statements);
        Left {
            statements: statements.len(),
            line: statements.get(at.done).and_then(|statement| statement.line),
            at,
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "way": match self.at.way { Way::Up => "up", Way::Down => "down" },
            "statements_done": self.at.done,
            "statements": self.statements,
            "doubtful_statement": self.at.doubtful,
            "next_line": self.line,
        })
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Left {
            at,
            statements,
            line,
        } = self;
        let doing = match at.way {
            Way::Up => "run",
            Way::Down => "undone",
        };
        write!(
            f,
            "it was being {doing}: {} of {statements} statements are done",
            at.done
        )?;
        if let Some(line) = line {
            let begun = if at.doubtful.is_some() {
                ", which was begun"
            } else {
                ""
            };
            write!(f, "; it goes on with line {line}{begun}")?;
        }
        Ok(())
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
                    "left": row.left.as_ref().map(Left::to_json),
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
            if let Some(left) = &row.left {
                writeln!(f, "{:10}{left}", "")?;
            }
        }
        if self.others > 0 {
            writeln!(f, "\n{} other versions in schema_migrations", self.others)?;
        }
        Ok(())
    }
}
