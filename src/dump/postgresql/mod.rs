//! Reads the plain dumps of pg_dump 9.1 and later (PostgreSQL manual, "pg_dump"), and those of `convert`, into
//! definitions and chunks of whole rows. All rows become lines of COPY's text format, INSERTs as well. Nothing of a dump
//! is executed: a statement that is not understood is left out and reported, or refused.

mod alter;
mod comment;
pub(super) mod constraint;
pub(super) mod convert_notation;
mod databases;
mod default_value;
pub mod definition;
mod dump_statement;
mod enum_type;
mod expression;
mod index;
pub(super) mod lexer;
mod names;
mod on_update;
pub(super) mod parser;
mod reader;
mod row_heads;
mod sequence;
mod splitter;
mod statement;
mod strings;
mod table;
mod values;

pub use convert_notation::{CONVERTED, CONVERTED_COMPLETE, GIVEN_UP, SINCE_VERSION_10};
pub use reader::{Consumer, Reader};
