//! The parts of a publish that all servers share: the journal, the record, the renames of directories.

pub(crate) mod aside;
pub(crate) mod directories;
pub mod fresh;
pub mod irreplaceable;
pub(crate) mod journal;
pub mod kept;
pub mod outcome;
pub(crate) mod patience;
pub(crate) mod prefixes;
pub(crate) mod record;
pub(crate) mod renames;
mod traces_aside;
