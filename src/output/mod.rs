//! Writes what was converted: a dump in PostgreSQL's notation, or an archive with such a dump.

mod archive;
mod dump;
mod file;

pub use archive::convert_archive;
pub use dump::{DumpWriter, WrittenTable};
pub use file::OutputFile;

use crate::resources::Resources;

/// What a conversion may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many threads there are, and how much may wait in memory.
    pub resources: Resources,
    /// How many times its size a dump may inflate to.
    pub max_inflation: u32,
}
