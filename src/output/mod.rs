//! Writes the result of a conversion, a dump for PostgreSQL or an archive with such a dump; and new archives.

mod archive;
mod backup;
mod converted;
mod dump;
mod dump_text;
mod file;
mod gzip;
mod limits;
pub mod report;
mod transcoded;

pub use archive::convert_archive;
pub use backup::BackupArchive;
pub use converted::{Converted, convert_dump};
pub use dump::{DumpWriter, WrittenTable};
pub use file::{Access, OutputFile};
pub use limits::Limits;
