//! Writes the result of a conversion, a dump for PostgreSQL or an archive with such a dump; and new archives.

mod archive;
mod backup;
mod converted;
mod dump;
mod dump_text;
#[cfg(feature = "servers")]
mod file;
mod gzip;
mod limits;
#[cfg(feature = "servers")]
mod place;
#[cfg(feature = "servers")]
pub mod report;
mod transcoded;

pub use archive::convert_archive;
pub use backup::BackupArchive;
pub use converted::{Converted, convert_dump};
pub use dump::{DumpWriter, WrittenTable};
#[cfg(feature = "servers")]
pub use file::{OutputFile, url_in};
pub use limits::Limits;
#[cfg(feature = "servers")]
pub use place::Place;
