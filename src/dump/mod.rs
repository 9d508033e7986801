//! Turns the inflated bytes of a dump into events: the definition of a table, rows of a table.
//!
//! Nothing of a dump is ever executed. Definitions are parsed, rows are handed on as bytes, and
//! a statement that would change data in a way not understood here is an error.

pub mod converted;
pub mod definition;
mod dialect;
pub mod lexer;
pub mod postgres;
mod reader;
pub mod scanner;
mod statement;
mod structure;

pub use dialect::{Dialect, detect};
pub use reader::{CHUNK_BYTES, Consumer, Facts, InsertTarget, Reader, RowChunk};
