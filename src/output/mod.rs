//! Writes the result of a conversion: a dump for PostgreSQL, or an archive with such a dump.

mod archive;
mod dump;
mod file;
mod limits;

pub use archive::convert_archive;
pub use dump::{DumpWriter, WrittenTable};
pub use file::OutputFile;
pub use limits::Limits;
