//! The changes to rows of tables that a publish does not replace.

use mysql::Conn;

use crate::error::Result;
use crate::server::mysql::databases::Databases;

/// The steps that change rows, around the moves of the tables.
pub trait Steps {
    /// The result of the steps.
    type Done;

    /// Other tables of the live database of which the steps change rows.
    fn locks(&self) -> &'static [&'static str] {
        &[]
    }

    /// Creates tables in the database `passing` for the rows to keep, and refuses what could not be undone.
    /// Changes no live data.
    fn prepare(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()>;

    /// Runs before the moves, in a separate transaction. The function given to `recover` must be able to undo
    /// this step by the rows that it keeps.
    fn before(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()>;

    /// Runs when the new tables are in place, in the publish's transaction.
    fn finish(&mut self, conn: &mut Conn, databases: &Databases) -> Result<Self::Done>;
}

/// Optional steps.
impl<S: Steps> Steps for Option<S> {
    type Done = Option<S::Done>;

    fn locks(&self) -> &'static [&'static str] {
        self.as_ref().map_or(&[], Steps::locks)
    }

    fn prepare(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()> {
        self.as_mut()
            .map_or(Ok(()), |steps| steps.prepare(conn, databases))
    }

    fn before(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()> {
        self.as_mut()
            .map_or(Ok(()), |steps| steps.before(conn, databases))
    }

    fn finish(&mut self, conn: &mut Conn, databases: &Databases) -> Result<Self::Done> {
        self.as_mut()
            .map(|steps| steps.finish(conn, databases))
            .transpose()
    }
}
