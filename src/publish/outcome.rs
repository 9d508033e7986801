//! What is published, rolled back, recovered or discarded, and what came of it, whatever the server is.

use std::fmt;
use std::path::PathBuf;

use crate::traces::{BuildsDirectory, StagedDirectory};

/// What is to be published.
pub struct Publication<'a> {
    /// The schema the tables go to.
    pub schema: &'a str,
    /// The staged tables.
    pub tables: &'a [&'a str],
    /// The builds directory and what takes its place, if there are traces.
    pub builds: Option<(&'a BuildsDirectory, &'a StagedDirectory)>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published<T> {
    /// The tables that were live before, and are kept aside now.
    pub replaced: Vec<String>,
    /// Where the old builds directory is now, if there was one.
    pub previous_builds: Option<PathBuf>,
    /// What the last step returned.
    pub finished: T,
}

/// What came of a rollback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// The schema of the live tables.
    pub schema: String,
    /// The tables that are back.
    pub restored: Vec<String>,
    /// The tables that went.
    pub aside: Vec<String>,
    /// The schema where they are now, or the database where that is the same.
    pub previous: String,
    /// The builds directory that is live again, if it had one.
    pub builds: Option<PathBuf>,
    /// Where the one is now that was live, if there was one.
    pub builds_aside: Option<PathBuf>,
}

impl fmt::Display for RolledBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = &self.schema;
        if self.restored.is_empty() {
            writeln!(
                f,
                "there were no tables before the import; {schema} has none again"
            )?;
        } else {
            writeln!(f, "back in {schema}: {}", self.restored.join(", "))?;
        }
        writeln!(f, "in {} now: {}", self.previous, self.aside.join(", "))?;
        if let Some(builds) = &self.builds {
            writeln!(f, "the old build traces are back in {}", builds.display())?;
        }
        if let Some(aside) = &self.builds_aside {
            writeln!(
                f,
                "the build traces of the import are now in {}",
                aside.display()
            )?;
        }
        Ok(())
    }
}

/// What was found and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// No publish was cut.
    Nothing,
    /// The database has the new tables: the new directory is in its place, too.
    Finished,
    /// The database has the old tables: the old directory is back.
    Undone,
}

impl Recovered {
    /// What is told about it, if there is something.
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

/// What is live in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The schema where the tables are or will be.
    pub schema: String,
    /// Which of them exist and have rows.
    pub with_rows: Vec<String>,
    /// Whether an earlier import has left its replaced tables in the schema for them.
    pub has_previous: bool,
}

/// What was freed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discarded {
    /// Tables.
    pub tables: Vec<String>,
    /// The schema they were in, or the database where that is the same.
    pub previous: String,
    /// Directories.
    pub directories: Vec<PathBuf>,
}

impl fmt::Display for Discarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tables.is_empty() && self.directories.is_empty() {
            return writeln!(f, "there was nothing to discard");
        }
        if !self.tables.is_empty() {
            writeln!(f, "removed {}: {}", self.previous, self.tables.join(", "))?;
        }
        for directory in &self.directories {
            writeln!(f, "removed {}", directory.display())?;
        }
        Ok(())
    }
}

/// What is aside in a database, as far as the database knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aside {
    /// The tables that were replaced and have rows.
    pub replaced: Vec<String>,
    /// The other tables that have rows: what was kept of tables that were not replaced.
    pub kept: Vec<String>,
    /// The statement that locks all of them, if there are any: an import or a rollback would put others
    /// in their place.
    pub lock: Option<String>,
    /// The statements that drop all tables in it, as [`discard`] does. The schema stays where it is the
    /// record of builds directories that [`discard`] has still to remove.
    pub statements: Vec<String>,
    /// Whether there are such directories.
    pub has_builds: bool,
}
