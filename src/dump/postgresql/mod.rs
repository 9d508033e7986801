//! Reads the plain dumps of pg_dump, from the style of 9.1 on (PostgreSQL manual, "pg_dump"), and those that `convert`
//! writes, into definitions and chunks of whole rows. Whatever notation the rows have in the dump, they come as lines
//! of COPY's text format. Nothing of a dump is executed: what is not understood is left out by name, or refused.

pub mod definition;
mod expression;
mod lexer;
mod own;
mod parser;
mod reader;
mod splitter;
mod statement;
mod strings;
mod table;
mod values;

pub(in crate::dump) use lexer::{Token, tokens};
pub use own::{CONVERTED, CONVERTED_COMPLETE, GIVEN_UP, SINCE_VERSION_10};
pub(in crate::dump) use parser::{Parser, split_at_commas};
pub use reader::{Consumer, Reader};
pub(in crate::dump) use statement::constraint;
