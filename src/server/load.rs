//! A dump that is to be read for a target.

use std::io::Read;

use crate::cancellation::Halt;
use crate::dump::Facts;
use crate::dump::acceptance::Asked;
use crate::error::Result;
use crate::pipeline::converter::Accept;
use crate::pipeline::loaded::{LoadedDump, LoadedTable};
use crate::resources::Resources;
use crate::schema::Note;
use crate::schema::policies::Policies;

/// A dump, and what is asked of it.
pub struct Dump<'a> {
    /// What errors call it.
    pub name: &'static str,
    /// Its bytes, inflated.
    pub reader: &'a mut dyn Read,
    /// Which kinds of dump are asked for.
    pub asked: Asked,
    /// How values and types are converted.
    pub policies: Policies,
    /// Judges the names of its tables.
    pub accept: Accept,
    /// Whether its rows are to be hashed.
    pub hashing: bool,
    /// How many threads there are, and how much may wait in memory.
    pub resources: &'a Resources,
    /// Called when all of it is read, and the target still works.
    pub when_read: &'a dyn Fn(),
    /// What may stop it.
    pub halt: &'a Halt,
}

impl<'a> Dump<'a> {
    /// What completes its tables when it is read.
    pub(crate) fn ending(&self) -> Ending<'a> {
        Ending {
            name: self.name,
            when_read: self.when_read,
            halt: self.halt,
        }
    }
}

/// What is left to be done of a dump that is read.
pub(crate) struct Ending<'a> {
    name: &'static str,
    when_read: &'a dyn Fn(),
    halt: &'a Halt,
}

impl Ending<'_> {
    /// Has the loader of the dump `finish` its tables, which it may stop when it is asked to.
    pub(crate) fn load(
        self,
        finish: impl FnOnce(&dyn Fn() -> bool) -> Result<Vec<LoadedTable>>,
        notes: Vec<Note>,
        facts: Facts,
    ) -> Result<LoadedDump> {
        (self.when_read)();
        let tables = finish(&|| self.halt.is_stopped()).map_err(|error| error.at(self.name))?;
        Ok(LoadedDump {
            tables,
            notes,
            facts,
        })
    }
}

/// Loads dumps into the staging of a target.
pub trait Loads: Sync {
    /// Loads `dump`, whose tables are complete then.
    fn load(&self, dump: Dump<'_>) -> Result<LoadedDump>;
}
