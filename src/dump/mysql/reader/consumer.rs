//! Who takes what a reader finds.

use crate::dump::converted::Part;
use crate::dump::events::{Facts, RowChunk};
use crate::dump::mysql::definition::TableDefinition;
use crate::error::{Error, Result};

/// The hint about rows whose table the dump does not define.
pub(crate) const WITHOUT_DEFINITION: &str = "name the file with the definitions before it: ci-import DEFINITIONS.sql ROWS.sql; or make the dump with them (without \
     --no-create-info)";

/// Takes what the reader finds.
pub trait Consumer {
    /// A table of the dump; its rows, if any, follow.
    fn table(&mut self, table: TableDefinition, facts: &Facts) -> Result<()>;
    /// The definition of a table that was passed on, and whose rows may have come, after statements have changed it: keys,
    /// defaults, AUTO_INCREMENT. The columns and the types of their values are the same.
    fn altered(&mut self, table: &TableDefinition, facts: &Facts) -> Result<()>;
    /// Whole rows of one table.
    fn rows(&mut self, rows: RowChunk) -> Result<()>;
    /// A part of a definition, or the end, of a dump that GitLab CI has converted.
    fn converted(&mut self, part: Part, facts: &Facts) -> Result<()>;
    /// The end of the dump.
    fn end(&mut self) -> Result<()> {
        Ok(())
    }
    /// The dump drops a table that it has created: the target must not have it, nor its rows. Another table of the same name
    /// may follow. Its database is named if that becomes a schema.
    fn dropped(&mut self, _database: Option<&str>, table: &str) -> Result<()> {
        Err(
            Error::failed(format!("the dump drops the table {table} again"))
                .hint(format!("--skip-table {table} leaves it out")),
        )
    }
    /// A used buffer of a chunk for reuse, if there is one.
    fn spare(&mut self) -> Option<Vec<u8>> {
        None
    }
}
