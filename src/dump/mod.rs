//! Turns the inflated bytes of a dump into events: the definition of a table, rows of a table.
//!
//! Nothing of a dump is ever executed. Definitions are parsed, rows are passed on as bytes, and a
//! statement that is not understood and might change data is an error.

pub(crate) mod acceptance;
mod bounds;
pub mod charset;
pub mod converted;
mod databases;
mod dialect;
mod events;
mod files;
mod limits;
mod line_ends;
pub mod mysql;
mod noise;
pub mod postgresql;
pub mod quoting;
mod token_list;
mod utf16;
mod xml;

pub use databases::{Databases, is_of_server};
pub use dialect::{Dialect, detect};
pub use events::{Duplicates, Facts, InsertTarget, RowChunk};
pub use files::{beginning_of_files, end_of_file, is_of_files};
pub use limits::{CHUNK_BYTES, DEFAULT_MEMORY, DumpLimits, HeldMemory};
pub use line_ends::has_lines_of_cr;
pub(crate) use mysql::reader::WITHOUT_DEFINITION;
pub use mysql::reader::{Consumer, Reader, Wanted};
pub use utf16::{Utf16Decoder, Utf16Facts, beginning_in_utf8, is_utf16};
pub use xml::{ABOUT_XML, NotInXml, beginning_of_xml, is_xml_of_mysqldump, not_in_xml};
