//! The input and the results of publish, rollback, recover and discard, for all servers.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::traces::{Builds, StagedTraces};
use crate::ui::shown::write_line;

/// The data to publish.
pub struct Publication<'a> {
    /// The schema for the tables.
    pub schema: &'a str,
    /// The staged tables.
    pub tables: &'a [&'a str],
    /// More staged tables, if each database of a dump has a schema of its own.
    pub others: &'a [SchemaTables<'a>],
    /// The traces, if there are any, and where they go.
    pub builds: Option<(&'a Builds, &'a StagedTraces)>,
    /// What is done while others hold the live tables.
    pub waiting: Waiting<'a>,
    /// Whether CI stays as it is, instead of being switched on.
    pub leaves_ci_off: bool,
    /// Whether tables that a cluster distributes are replaced, by ordinary ones.
    pub undistribute: bool,
    /// Which archive or dump it is, if that is to be known later.
    pub input: Option<&'a InputRecord>,
}

/// An archive or dump that was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRecord {
    /// Its name.
    pub name: String,
    /// What identifies it among all others; see `input::whole`.
    pub identity: String,
}

/// What is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveInput {
    /// The archive or dump.
    pub input: InputRecord,
    /// The schema of its tables, the first one of several; in MySQL, the database.
    pub schema: String,
    /// The path of the builds directory, or the URL of the prefix of the import, if there were traces.
    pub builds: Option<String>,
}

impl InputRecord {
    /// That of the input with this `name`, if its `identity` is to be known later.
    #[must_use]
    pub fn of(name: &str, identity: Option<&String>) -> Option<InputRecord> {
        Some(InputRecord {
            name: name.to_owned(),
            identity: identity?.clone(),
        })
    }
}

/// Tables, and the schema that they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaTables<'a> {
    /// The schema.
    pub schema: &'a str,
    /// The tables.
    pub tables: Vec<&'a str>,
}

impl<'a> SchemaTables<'a> {
    /// Sorts `tables`, with the schema that they are for, into those of the only schema, and the others by their schemas.
    #[must_use]
    pub fn sorted(
        tables: impl Iterator<Item = (Option<&'a str>, &'a str)>,
    ) -> (Vec<&'a str>, Vec<SchemaTables<'a>>) {
        let mut of_only_schema = Vec::new();
        let mut others: Vec<SchemaTables<'a>> = Vec::new();
        for (schema, table) in tables {
            let Some(schema) = schema else {
                of_only_schema.push(table);
                continue;
            };
            match others.iter_mut().find(|known| known.schema == schema) {
                Some(known) => known.tables.push(table),
                None => others.push(SchemaTables {
                    schema,
                    tables: vec![table],
                }),
            }
        }
        (of_only_schema, others)
    }

    /// The tables of each schema, with those of the only one, or the first, if it has some.
    #[must_use]
    pub fn of_all(
        schema: &'a str,
        tables: &[&'a str],
        others: &[SchemaTables<'a>],
    ) -> Vec<SchemaTables<'a>> {
        let mut all = others.to_vec();
        if others.is_empty() || !tables.is_empty() {
            all.push(SchemaTables {
                schema,
                tables: tables.to_vec(),
            });
        }
        all
    }
}

/// How long a publish waits for others who hold the live tables.
#[derive(Clone, Copy)]
pub struct Waiting<'a> {
    /// How long.
    pub limit: Duration,
    /// Tells the user who holds them.
    pub tell: &'a dyn Fn(&str),
    /// An error ends the waiting.
    pub check: &'a dyn Fn() -> Result<()>,
}

impl Waiting<'_> {
    /// Waits as long as `seconds`, and tells nobody.
    #[must_use]
    pub fn silently(seconds: u64) -> Self {
        Waiting {
            limit: Duration::from_secs(seconds),
            tell: &|_| {},
            check: &|| Ok(()),
        }
    }
}

/// The result of a publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published<T> {
    /// The replaced tables, which are kept aside.
    pub replaced: Vec<String>,
    /// Where the old traces are now, if there were any.
    pub previous_builds: Option<String>,
    /// Replaced tables, each with something that it had and the new one does not have.
    pub lost: Vec<(String, String)>,
    /// How long nobody else could read the live tables, if they are locked at all.
    pub locked: Option<Duration>,
    /// The result of the last step.
    pub finished: T,
}

/// The result of a rollback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// The schema of the live tables.
    pub schema: String,
    /// The restored tables.
    pub restored: Vec<String>,
    /// The tables that were moved aside.
    pub aside: Vec<String>,
    /// The schema of the tables moved aside; in MySQL, the database.
    pub previous: String,
    /// Where the traces are that are live again, if there were any.
    pub builds: Option<String>,
    /// Where the traces of the import are now, if it had any.
    pub builds_aside: Option<String>,
}

impl fmt::Display for RolledBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = &self.schema;
        if self.restored.is_empty() {
            write_line!(
                f,
                "there were no tables before the import; {schema} has none again"
            )?;
        } else {
            write_line!(f, "back in {schema}: {}", self.restored.join(", "))?;
        }
        write_line!(f, "in {} now: {}", self.previous, self.aside.join(", "))?;
        if let Some(builds) = &self.builds {
            write_line!(f, "the old build traces are back in {builds}")?;
        }
        if let Some(aside) = &self.builds_aside {
            write_line!(f, "the build traces of the import are now in {aside}")?;
        }
        Ok(())
    }
}

/// The result of a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// No publish was interrupted.
    Nothing,
    /// The database has the new tables, so the renames were completed.
    Finished,
    /// The database has the old tables, so the renames were undone.
    Undone,
}

impl Recovered {
    /// The message about it, if there is something to report.
    #[must_use]
    pub fn told(self) -> Option<&'static str> {
        match self {
            Recovered::Nothing => None,
            Recovered::Finished => Some("completed an interrupted publish: the import is live"),
            Recovered::Undone => {
                Some("undid an interrupted publish: the previous data is live again")
            }
        }
    }
}

/// The live data of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The schema of the tables, which may not exist yet.
    pub schema: String,
    /// The tables that exist and have rows.
    pub with_rows: Vec<String>,
    /// Whether an earlier import has kept its replaced tables.
    pub has_previous: bool,
}

/// The result of a discard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discarded {
    /// The dropped tables.
    pub tables: Vec<String>,
    /// The schema of the dropped tables; in MySQL, the database.
    pub previous: String,
    /// Where the removed traces were: directories, or prefixes of an object storage.
    pub traces: Vec<String>,
    /// What was kept for a second try, and is dropped.
    pub kept: Option<String>,
}

impl fmt::Display for Discarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kept) = &self.kept {
            write_line!(f, "removed {kept}")?;
        } else if self.tables.is_empty() && self.traces.is_empty() {
            return writeln!(f, "there was nothing to discard");
        }
        if !self.tables.is_empty() {
            write_line!(f, "removed {}: {}", self.previous, self.tables.join(", "))?;
        }
        for place in &self.traces {
            write_line!(f, "removed {place}")?;
        }
        Ok(())
    }
}

/// The data that a database keeps aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aside {
    /// The replaced tables that have rows.
    pub replaced: Vec<String>,
    /// The other tables that have rows: kept rows of tables that were not replaced.
    pub kept: Vec<String>,
    /// The statement that locks all these tables, if there are any, because an import or a rollback would
    /// replace them.
    pub lock: Option<String>,
    /// The statements that drop all these tables, like `discard`. They keep the schema if it has the record
    /// of traces that `discard` must still remove, or of the prefix with the live ones.
    pub statements: Vec<String>,
    /// Whether there are traces to remove.
    pub has_builds: bool,
}
