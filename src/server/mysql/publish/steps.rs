//! What is done to rows of tables that a publish does not replace.

use mysql::Conn;

use crate::error::Result;
use crate::server::mysql::databases::Databases;

/// The steps on rows, around the moves of the tables.
pub trait Steps {
    /// What came of them.
    type Done;

    /// Makes tables in the database `passing` for the rows that are to be kept, and refuses what could
    /// not be undone. Nothing is touched yet.
    fn prepare(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()>;

    /// What is done before the tables are moved, in a transaction of its own. The function that
    /// `recover` is given must be able to undo it by the rows that it keeps.
    fn before(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()>;

    /// What is done when the new tables are in their place, in the publish's transaction.
    fn finish(&mut self, conn: &mut Conn, databases: &Databases) -> Result<Self::Done>;
}

/// Steps that there may be.
impl<S: Steps> Steps for Option<S> {
    type Done = Option<S::Done>;

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
