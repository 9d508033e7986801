//! Reads the plain dumps of pg_dump, from the style of 9.1 on (PostgreSQL manual, "pg_dump"), and those that `convert`
//! writes, into definitions and chunks of whole rows. Whatever notation the rows have in the dump, they come as lines
//! of COPY's text format. Nothing of a dump is executed: what is not understood is left out by name, or refused.

mod alter;
mod comment;
pub(super) mod constraint;
pub(super) mod convert_notation;
mod default_value;
pub mod definition;
mod dump_statement;
mod enum_type;
mod expression;
mod index;
pub(super) mod lexer;
mod names;
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
