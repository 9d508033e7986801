//! How a converter adapts a MySQL dump to a kind of server.

use crate::dump::charset::Charset;
use crate::dump::mysql::definition::TableDefinition;
use crate::dump::{Duplicates, Facts};
use crate::error::{Error, Result};
use crate::rows::{Normal, PlannedColumn, ValueKind, Widening};
use crate::schema::policies::Policies;
use crate::schema::{GeneratedValues, GivenRows, Note};

/// Maps the tables of a MySQL dump for one kind of server.
pub trait Mapping {
    /// The type of a table on that server.
    type Table;

    /// Forgets a table, which the dump has dropped.
    fn forget(&mut self, table: &Self::Table);

    /// Maps `definition` from a dump with these facts, whose texts are in `charset`. Its rows are `given`.
    fn map(
        &mut self,
        definition: &TableDefinition,
        given: &GivenRows,
        facts: &Facts,
        charset: Charset,
        policies: &Policies,
    ) -> Result<Mapped<Self::Table>>;

    /// Maps `definition` again, after statements have changed it. The table was mapped as `before`; its rows may be loaded, so
    /// their types stay the same or become wider.
    fn map_again(
        &mut self,
        definition: &TableDefinition,
        before: &Mapped<Self::Table>,
        facts: &Facts,
        charset: Charset,
        policies: &Policies,
    ) -> Result<MappedAgain<Self::Table>>;
}

/// A table that was mapped again.
#[derive(Debug)]
pub struct MappedAgain<T> {
    /// The table now.
    pub mapped: Mapped<T>,
    /// The columns whose types must become wider.
    pub widenings: Vec<Widening>,
}

/// A mapped table, and the plan for its rows.
#[derive(Debug)]
pub struct Mapped<T> {
    /// The name of the table on the server, as it is shown.
    pub name: String,
    /// The table.
    pub table: T,
    /// The columns of the dump, in their order.
    pub columns: Vec<MappedColumn>,
    /// Which generated columns have values in the dump.
    pub generated: GeneratedValues,
    /// What becomes of a row whose key another row has, if the server decides it; then its rows are numbered.
    pub duplicates: Duplicates,
    /// Whether two rows may not have the same key.
    pub has_unique_key: bool,
    /// The rows, as far as they were known.
    pub given: GivenRows,
    /// The differences on the server.
    pub notes: Vec<Note>,
}

impl<T> Mapped<T> {
    /// Takes over from `before` how values are normalised: the rows so far were hashed in this way.
    pub(super) fn hash_as(&mut self, before: &Mapped<T>) {
        for (column, known) in self.columns.iter_mut().zip(&before.columns) {
            column.normal = known.normal;
        }
    }
}

/// The error that a statement after the rows changes `table` in a way that changes its rows. `what` it changes.
pub(crate) fn changes_rows(table: &str, what: &str) -> Error {
    Error::failed(format!(
        "table {table}: what comes after its rows changes {what}"
    ))
    .hint(format!("--skip-table {table} leaves it out"))
}

/// A column of the dump.
#[derive(Debug)]
pub struct MappedColumn {
    /// The name of the column in the dump.
    pub name: String,
    /// The plan for its values.
    pub planned: PlannedColumn,
    /// How its values are normalised for the comparison, in the notation of the rows.
    pub normal: Normal,
}

impl MappedColumn {
    /// Whether the table has the column, and its values come from the dump.
    pub(super) fn is_loaded(&self) -> bool {
        self.planned.kind != ValueKind::Skipped
    }
}
