//! What a converter needs to know of the server that a MySQL dump goes to.

use crate::dump::Facts;
use crate::dump::charset::Charset;
use crate::dump::mysql::definition::TableDefinition;
use crate::error::Result;
use crate::rows::{Normal, PlannedColumn, ValueKind};
use crate::schema::Note;
use crate::schema::policies::Policies;

/// Maps the tables of a MySQL dump for one kind of server.
pub trait Mapping {
    /// A table as that server has it.
    type Table;

    /// Maps `definition`, in a dump with these facts, whose texts are in `charset`.
    fn map(
        &mut self,
        definition: &TableDefinition,
        facts: &Facts,
        charset: Charset,
        policies: &Policies,
    ) -> Result<Mapped<Self::Table>>;
}

/// A mapped table, and how its rows go.
#[derive(Debug)]
pub struct Mapped<T> {
    /// Its name there.
    pub name: String,
    /// The table.
    pub table: T,
    /// The columns of the dump, in their order.
    pub columns: Vec<MappedColumn>,
    /// Generated columns that the server cannot compute: their values must be in the dump.
    pub materialised: Vec<String>,
    /// What the server gets differently.
    pub notes: Vec<Note>,
}

/// A column of the dump.
#[derive(Debug)]
pub struct MappedColumn {
    /// Its name in the dump.
    pub name: String,
    /// How its values go.
    pub planned: PlannedColumn,
    /// How its values are compared, in the notation of the rows.
    pub normal: Normal,
}

impl MappedColumn {
    /// Whether the table has the column, and its values come from the dump.
    pub(super) fn is_loaded(&self) -> bool {
        self.planned.kind != ValueKind::Skipped
    }
}
