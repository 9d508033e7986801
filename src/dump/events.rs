//! What the readers of all dialects pass on: chunks of rows, and facts about the dump.

use std::sync::Arc;

use super::bounds::{check_count, remembered};
use super::limits::HeldMemory;
use super::quoting::Quoting;
use super::utf16::Utf16Facts;
use super::xml::NotInXml;
use crate::error::Result;

/// Whole rows: of a MySQL dump `(…),(…)` as the dump has them, with what is between and behind them; of a PostgreSQL
/// dump lines of COPY's text format.
#[derive(Debug)]
pub struct RowChunk {
    /// The table and columns they go to.
    pub insert: Arc<InsertTarget>,
    /// The rows.
    pub bytes: Vec<u8>,
    /// Offset of the first byte in the inflated dump.
    pub offset: u64,
    /// Number of the first row in its table, from 1.
    pub first_row: u64,
    /// How many rows there are.
    pub rows: u64,
    /// Its memory, if it is large.
    pub held: HeldMemory,
}

/// The table and columns that rows go to: the head of an INSERT or COPY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertTarget {
    /// The database of the table, if that becomes a schema.
    pub database: Option<String>,
    /// The table.
    pub table: String,
    /// The columns, if the statement names them.
    pub columns: Option<Vec<String>>,
    /// What becomes of a row whose key is there already.
    pub duplicates: Duplicates,
    /// How quotes and backslashes of the rows are read.
    pub quoting: Quoting,
}

/// What becomes of a row whose key another row of its table has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// It is an error: INSERT.
    #[default]
    Refused,
    /// It replaces the other row: REPLACE.
    Replace,
    /// It is left out: INSERT IGNORE.
    Ignored,
}

/// What a dump says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The first comment that names the program: `MySQL dump 10.13  Distrib 5.5.44, …`.
    pub written_by: Option<String>,
    /// The server's version.
    pub server_version: Option<String>,
    /// What was seen if the file is UTF-16. Then its texts were decoded, whatever `SET NAMES` says.
    pub utf16: Option<Utf16Facts>,
    /// `SET NAMES`, in lower case.
    pub charset: Option<String>,
    /// Whether the dump was made with a `--compatible` mode that leaves out AUTO_INCREMENT.
    pub compatible: bool,
    /// Whether timestamps are in UTC: `SET TIME_ZONE='+00:00'`.
    pub utc: bool,
    /// Whether keys of the table may come after its rows.
    pub keys_follow: bool,
    /// The databases of the dump that have tables, if it names them.
    pub databases: Vec<String>,
    /// Whether GitLab CI has converted it for PostgreSQL.
    pub converted: bool,
    /// Whether PostgreSQL wrote it: then the character set is its `client_encoding`.
    pub postgresql: bool,
    /// Views, triggers, routines: kind and name.
    pub left_out: Vec<(&'static str, String)>,
    /// Whether it was made of XML, which does not have all of a definition.
    pub xml: bool,
    /// What the XML does not have of tables.
    pub not_in_xml: Vec<NotInXml>,
    /// The first few lines that are not SQL, such as warnings of mysqldump.
    pub noise: Vec<String>,
    /// Whether the last line, `-- Dump completed`, was there.
    pub completed: bool,
    /// Bytes of the inflated dump.
    pub bytes: u64,
}

impl Duplicates {
    /// As the head of an INSERT or REPLACE says.
    pub(super) fn of_head(head: &str) -> Duplicates {
        let words = head.split_whitespace().take(4).map(str::to_ascii_uppercase);
        let words: Vec<String> = words.take_while(|word| word != "INTO").collect();
        let has = |wanted: &str| words.iter().any(|word| word == wanted);
        if has("REPLACE") {
            Duplicates::Replace
        } else if has("IGNORE") {
            Duplicates::Ignored
        } else {
            Duplicates::Refused
        }
    }
}

impl Facts {
    /// What it says about the definitions of its tables.
    #[must_use]
    pub fn of_tables(&self) -> Facts {
        Facts {
            utf16: self.utf16,
            charset: self.charset.clone(),
            compatible: self.compatible,
            utc: self.utc,
            server_version: self.server_version.clone(),
            keys_follow: self.keys_follow,
            ..Facts::default()
        }
    }

    /// Records that `name` is not imported. `kinds` says, for an error, what is counted.
    pub(super) fn leave_out(&mut self, kind: &'static str, name: &str, kinds: &str) -> Result<()> {
        let left_out = (kind, remembered(name));
        if !self.left_out.contains(&left_out) {
            check_count(self.left_out.len(), kinds)?;
            self.left_out.push(left_out);
        }
        Ok(())
    }
}
