//! Reads the dumps of mysqldump and mariadb-dump.

pub mod definition;
mod expression;
pub mod lexer;
mod piece;
pub(crate) mod reader;
mod row_chunks;
mod row_scanner;
pub mod scanner;
mod session;
pub mod sql;
mod sql_mode;
mod statement;
mod structural_mask;
