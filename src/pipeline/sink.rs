//! What takes the tables and rows of a dump.

use super::planned_rows::PlannedRows;
use crate::error::Result;
use crate::rows::{Format, PlannedColumn};
use crate::schema;

/// Takes the tables and rows of a dump: the staging of a server, a dump that is written, a checksum.
/// `T` is a table as the sink wants it: the neutral model, or a server's own.
pub trait Sink<T = schema::Table> {
    /// The format it takes rows in that have to be transcoded.
    const FORMAT: Format;
    /// Takes a table; its rows, if any, follow.
    fn table(&mut self, table: &T) -> Result<()>;
    /// Takes the table of this number again, with its keys and indexes, where they came behind the rows.
    fn complete(&mut self, number: usize, table: &T) -> Result<()>;
    /// Takes rows of a table that came before.
    fn rows(&mut self, rows: PlannedRows) -> Result<()>;
    /// The buffer of a chunk that is done with, to be filled again, if there is one.
    fn spare(&mut self) -> Option<Vec<u8>> {
        None
    }
    /// The statement that loads rows of `table` with these columns, in `format`.
    fn statement(&self, table: &T, columns: &[PlannedColumn], format: Format) -> String;
}
