//! Writes the result of a conversion: a dump for PostgreSQL, or an archive with such a dump.

mod archive;
mod dump;
mod dump_text;
mod file;
mod limits;
mod transcoded;

pub use archive::convert_archive;
pub use dump::{DumpWriter, WrittenTable};
pub use file::OutputFile;
pub use limits::Limits;
