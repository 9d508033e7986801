//! Turns the inflated bytes of a dump into events: the definition of a table, rows of a table.
//!
//! Nothing of a dump is ever executed. Definitions are parsed, rows are passed on as bytes, and a
//! statement that is not understood and might change data is an error.

pub(crate) mod acceptance;
mod bounds;
pub mod charset;
pub mod converted;
mod dialect;
mod events;
pub mod mysql;
pub mod postgresql;
pub mod quoting;
mod token_list;

pub use dialect::{Dialect, detect};
pub use events::{CHUNK_BYTES, Duplicates, Facts, InsertTarget, RowChunk};
pub use mysql::reader::{Consumer, Reader, Wanted};
