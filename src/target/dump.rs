//! A dump that is to be read for a target.

use std::io::Read;

use crate::convert::Accept;
use crate::error::Result;
use crate::halt::Halt;
use crate::input::Asked;
use crate::loaded::LoadedDump;
use crate::policies::Policies;
use crate::resources::Resources;

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

/// Loads dumps into the staging of a target.
pub trait Loads: Sync {
    /// Loads `dump`, whose tables are complete then.
    fn load(&self, dump: Dump<'_>) -> Result<LoadedDump>;
}
