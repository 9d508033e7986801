//! Reads `CREATE TABLE` as MySQL and MariaDB write it, the `ALTER TABLE` of dump programs, and the heads of INSERTs.
//!
//! The grammar is that of the MySQL 8.0 Reference Manual, chapter 15.1.20 (CREATE TABLE), and of
//! MariaDB's knowledge base on the same statement, as far as `SHOW CREATE TABLE` prints it.
//! Attributes that do not affect values (storage, format, visibility) are skipped. An unknown one is an error,
//! since it might affect them.

mod alter;
mod columns;
mod cursor;
mod expressions;
mod keys;
mod model;
mod quoted;
mod statements;
mod storage;
#[cfg(test)]
mod tests;
mod type_names;
mod values;

pub(in crate::dump) use alter::alter_table;
pub use model::{
    ColumnDefinition, DataType, DefaultValue, ForeignKeyDefinition, Generated, KeyDefinition,
    KeyKind, KeyPart, KeyPartOf, LeftOut, Period, StorageOption, TableDefinition, TableOptions,
};
pub use statements::{
    ParsedTable, bare_check, create_table, insert_head, is_json_check, json_check, parse_table,
};
