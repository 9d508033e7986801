//! What came of the tables of a dump in the staging of a target, whatever server that is.

use crate::dump::Facts;
use crate::rows::Tally;
use crate::rows::contents::Contents;
use crate::schema::Note;

/// A table that was loaded.
#[derive(Debug, Clone)]
pub struct LoadedTable {
    /// Its name.
    pub name: String,
    /// The column that gets its values from a sequence, or by AUTO_INCREMENT.
    pub numbered: Option<String>,
    /// How many rows it has.
    pub rows: u64,
    /// What was changed in them.
    pub tally: Tally,
    /// The value that the numbered column gets next.
    pub next_value: Option<i64>,
    /// The checksum of its rows, if they were hashed.
    pub contents: Contents,
    /// What came out differently because of the rows.
    pub notes: Vec<Note>,
}

/// A dump that was loaded.
#[derive(Debug)]
pub struct LoadedDump {
    /// Its tables, in its order.
    pub tables: Vec<LoadedTable>,
    /// What the target has differently.
    pub notes: Vec<Note>,
    /// What the dump says about itself.
    pub facts: Facts,
}
