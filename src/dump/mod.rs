//! Turns the inflated bytes of a dump into events: the definition of a table, rows of a table.
//!
//! Nothing of a dump is ever executed. Definitions are parsed, rows are handed on as bytes, and
//! a statement that would change data in a way not understood here is an error.

pub(crate) mod acceptance;
pub mod charset;
pub mod converted;
mod dialect;
pub mod mysql;
pub mod postgresql;

pub use dialect::{Dialect, detect};
pub use mysql::reader::{CHUNK_BYTES, Consumer, Facts, InsertTarget, Reader, RowChunk};
