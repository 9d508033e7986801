//! Reads the dumps of mysqldump and mariadb-dump.

pub mod definition;
pub mod lexer;
pub(crate) mod reader;
pub mod scanner;
pub(crate) mod statement;
pub(crate) mod structure;
