//! Loading a dump into the staging of a target.

use crate::cancellation::Halt;
use crate::error::Result;
use crate::pipeline::loaded::{LoadedDump, LoadedTable};
use crate::pipeline::reading::{Dump, ReadDump};
use crate::resources::Resources;

/// Loads dumps into the staging of a target.
pub trait Loads: Sync {
    /// Loads a dump, whose tables are complete then.
    fn load(&self, loading: Loading<'_>) -> Result<LoadedDump>;
}

/// A dump that is to be loaded.
pub struct Loading<'a> {
    /// The dump.
    pub dump: Dump<'a>,
    /// How many threads there are, and how much may wait in memory.
    pub resources: &'a Resources,
    /// Called when all of it is read, and the target still works.
    pub when_read: &'a dyn Fn(),
    /// What may stop it.
    pub halt: &'a Halt,
}

impl<'a> Loading<'a> {
    /// Has the dump `read` into a sink, and the sink `finish` its tables, which it may stop when it is
    /// asked to.
    pub(crate) fn run<S>(
        self,
        read: impl FnOnce(Dump<'a>) -> Result<ReadDump<S>>,
        finish: impl FnOnce(S, &dyn Fn() -> bool) -> Result<Vec<LoadedTable>>,
    ) -> Result<LoadedDump> {
        let name = self.dump.name;
        let ReadDump { sink, notes, facts } = read(self.dump)?;
        (self.when_read)();
        let is_stopped = || self.halt.is_stopped();
        let tables = finish(sink, &is_stopped).map_err(|error| error.at(name))?;
        Ok(LoadedDump {
            tables,
            notes,
            facts,
        })
    }
}
