//! The receiver of the tables and rows of a dump.

use super::planned_rows::PlannedRows;
use crate::error::{Error, Result};
use crate::rows::{Format, PlannedColumn, Widening};
use crate::schema;

/// Receives the tables and rows of a dump: the staging of a server, the writer of a dump, or a checksum. `T`
/// is the sink's type of tables: the neutral model, or a server's own.
pub trait Sink<T = schema::Table> {
    /// The format in which transcoded rows are delivered.
    const FORMAT: Format;
    /// Receives a table. Its rows may follow.
    fn table(&mut self, table: &T) -> Result<()>;
    /// Receives a table for the second time, with the keys and indexes that came after the rows.
    fn complete(&mut self, number: usize, table: &T) -> Result<()>;
    /// Changes an earlier table, whose rows may be there, from `before` to `after`. Types change by [`Sink::widen`] only.
    fn alter(&mut self, _number: usize, _before: &T, _after: &T) -> Result<()> {
        // A sink without definitions has nothing to do.
        Ok(())
    }
    /// Gives a column of an earlier table, with all rows so far, a wider type.
    fn widen(&mut self, _number: usize, _widening: &Widening) -> Result<()> {
        // A sink without types has nothing to do.
        Ok(())
    }
    /// Drops an earlier table with its rows. A new one may have its name.
    fn drop_table(&mut self, _number: usize) -> Result<()> {
        Err(
            Error::failed("the dump drops a table again, which is not supported for this target")
                .hint("--skip-table leaves the table out"),
        )
    }
    /// Receives rows of an earlier table.
    fn rows(&mut self, rows: PlannedRows) -> Result<()>;
    /// A buffer of an earlier chunk, for reuse, if there is one.
    fn spare(&mut self) -> Option<Vec<u8>> {
        None
    }
    /// The statement that loads rows of `table` with these columns, in `format`.
    fn statement(&self, table: &T, columns: &[PlannedColumn], format: Format) -> String;
}
