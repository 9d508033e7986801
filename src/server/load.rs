//! Loading a dump into the staging of a target.

use crate::cancellation::Cancellation;
use crate::error::Result;
use crate::pipeline::loaded::{LoadedDump, LoadedTable};
use crate::pipeline::reading::{Dump, ReadDump};
use crate::resources::Resources;
use crate::ui::counts::Counts;

/// Loads dumps into the staging of a target.
pub trait Loads: Sync {
    /// Loads a dump and completes its tables.
    fn load(&self, loading: Loading<'_>) -> Result<LoadedDump>;
}

/// A dump that is to be loaded.
pub struct Loading<'a> {
    /// The dump.
    pub dump: Dump<'a>,
    /// The number of threads, and the amount of data that may wait in memory.
    pub resources: &'a Resources,
    /// Where the work is counted, for the progress.
    pub counts: &'a Counts,
    /// Stops the load on a signal or a failure.
    pub cancellation: &'a Cancellation,
}

impl<'a> Loading<'a> {
    /// Reads the dump into a sink by `read`, and completes the tables by `finish`, which is asked to stop if
    /// the load is stopped.
    pub(crate) fn run<S>(
        self,
        read: impl FnOnce(Dump<'a>) -> Result<ReadDump<S>>,
        finish: impl FnOnce(S, &dyn Fn() -> bool) -> Result<Vec<LoadedTable>>,
    ) -> Result<LoadedDump> {
        let name = self.dump.name;
        let ReadDump { sink, notes, facts } = read(self.dump)?;
        self.counts.begin_phase("building the indexes");
        let is_stopped = || self.cancellation.is_stopped();
        let tables = finish(sink, &is_stopped).map_err(|error| error.at(name))?;
        Ok(LoadedDump {
            tables,
            notes,
            facts,
        })
    }
}
