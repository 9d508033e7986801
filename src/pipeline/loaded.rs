//! The tables of a dump after they were loaded into the staging of any target.

use crate::dump::Facts;
use crate::rows::Tally;
use crate::rows::contents::Contents;
use crate::schema::{Note, shown};
use crate::ui::times::Work;

/// A table that was loaded.
#[derive(Debug, Clone)]
pub struct LoadedTable {
    /// The schema that it goes to, if the tables of a dump go to several.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// The column that gets its values from a sequence, or by AUTO_INCREMENT.
    pub numbered: Option<String>,
    /// How many rows it has.
    pub rows: u64,
    /// The changes of its values.
    pub tally: Tally,
    /// The value that the numbered column gets next.
    pub next_value: Option<i64>,
    /// The checksum of its rows, if they were hashed.
    pub contents: Contents,
    /// Differences because of the rows.
    pub notes: Vec<Note>,
    /// When it was loaded, and the bytes of its rows in the dump.
    pub work: Work,
}

impl LoadedTable {
    /// How it is called in messages.
    #[must_use]
    pub fn shown(&self) -> String {
        shown(self.schema.as_deref(), &self.name)
    }
}

/// The result of loading a dump.
#[derive(Debug)]
pub struct LoadedDump {
    /// Its tables, in the order of the dump.
    pub tables: Vec<LoadedTable>,
    /// The differences in the target.
    pub notes: Vec<Note>,
    /// What the dump says about itself.
    pub facts: Facts,
}
