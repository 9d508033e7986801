//! What GitLab CI made of a MySQL dump when it was told to convert it (`MYSQL_TO_POSTGRESQL=1`):
//! `mysqldump --compatible=postgresql`, rewritten line by line by `db_converter.py` (vendored by GitLab CI
//! 8.0 in `lib/support/mysql-postgresql-converter`), with its `DROP INDEX` lines moved to the top.
//!
//! Its rows are still MySQL's, escapes and all. PostgreSQL read them with
//! `standard_conforming_strings = off`, and so read `\Z` as a letter; read as MySQL wrote them they are
//! whole. Its tables have types of PostgreSQL, and its end has casts, foreign keys, sequences and indexes.
//! All of that comes from MySQL's definitions, line by line, and can be put together again to them: so the
//! dump goes the way of any MySQL dump from here on. What the converter has lost for good is told.

pub(super) mod conversion;
mod ending;
pub(super) mod part;
mod table;

pub use part::{Damage, Part};
