//! Reads the dumps that GitLab CI has converted (`MYSQL_TO_POSTGRESQL=1`):
//! `mysqldump --compatible=postgresql`, rewritten line by line by `db_converter.py` (vendored by GitLab CI
//! 8.0 in `lib/support/mysql-postgresql-converter`), with its `DROP INDEX` lines moved to the top.
//!
//! The rows are still in MySQL's notation, with its escapes. PostgreSQL read them with
//! `standard_conforming_strings = off`, so it read `\Z` as a letter; by MySQL's rules they are intact. The tables have
//! types of PostgreSQL, and the end has casts, foreign keys, sequences and indexes. All of that was made from MySQL's
//! definitions, line by line, and is converted back to them here. So the dump is imported as any MySQL dump. What
//! the converter has lost is reported.

pub(super) mod conversion;
mod ending;
pub(super) mod part;
mod table;

pub use part::{Damage, Part};
