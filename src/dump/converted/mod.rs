//! What GitLab CI made of a MySQL dump when it was told to convert it (`MYSQL_TO_POSTGRESQL=1`):
//! `mysqldump --compatible=postgresql`, rewritten line by line by `db_converter.py` (vendored by GitLab CI
//! 8.0 in `lib/support/mysql-postgresql-converter`), with its `DROP INDEX` lines moved to the top.
//!
//! Its rows are still MySQL's, escapes and all. PostgreSQL read them with
//! `standard_conforming_strings = off`, and so read `\Z` as a letter; read as MySQL wrote them they are
//! whole. Its tables have types of PostgreSQL, and its end has casts, foreign keys, sequences and indexes.
//! All of that comes from MySQL's definitions, line by line, and can be put together again to them: so the
//! dump goes the way of any MySQL dump from here on. What the converter has lost for good is told.

mod ending;
mod table;

use std::collections::HashMap;
use std::fmt;

use super::mysql::definition::{ForeignKeyDefinition, KeyDefinition, TableDefinition};
use crate::error::{Error, Result};

/// The definitions of a dump are kept until its end, and take several times the memory of their text.
const MAX_DEFINITIONS_BYTES: usize = 8 * 1024 * 1024;

/// The comment behind all rows.
const SAVED: &str = "Post-data save";

/// How the converter, in the midst of its output, told of a line it could not read.
const UNKNOWN_LINE: &str = " ! Unknown line ";

/// Who wrote the dump, as the report says it.
pub(super) const WRITTEN_BY: &str = "db_converter, by which GitLab CI converts dumps of MySQL";

/// What a converted dump tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A table as MySQL had it, without the keys that come at the end; its rows, if any, follow. And the
    /// columns whose definition was damaged.
    Table(TableDefinition, Vec<(Damage, String)>),
    /// A key of a table that came before. Its name is missing where the converter has not kept it.
    Key(String, KeyDefinition),
    /// A foreign key of a table that came before.
    ForeignKey(String, ForeignKeyDefinition),
    /// A column that is cast to boolean: table and column.
    Boolean(String, String),
    /// A boolean gets its default back: table and column.
    Default(String, String),
    /// The column of a table that has a sequence: table and column.
    NextValue(String, String),
    /// There is nothing more.
    End,
}

/// What the converter did to the definition of a column, and is undone where it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// A `varchar(n)` became a `varchar(2n)`.
    DoubledLength,
    /// A `datetime` became a `timestamp with time zone`.
    TimeZone,
    /// A `datetime` lost its NOT NULL.
    Nullable,
    /// A whole number lost its `unsigned`.
    Signed,
    /// All that stood behind the type is lost, as it happens where a comment has parentheses.
    Bare,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::DoubledLength => "lengths that the converter had doubled are as they were",
            Damage::TimeZone => {
                "the converter's timestamps with time zone are without one, as in MySQL"
            }
            Damage::Nullable => "NOT NULL, which the converter had dropped, is back",
            Damage::Signed => "numbers without sign in MySQL, which the converter had forgotten",
            Damage::Bare => {
                "the converter has lost NOT NULL, default and comment, if there were any"
            }
        })
    }
}

/// How far the reading of a converted dump has come.
#[derive(Debug, Default)]
pub(super) struct Conversion {
    /// The values of enums, by the names of their types.
    enums: HashMap<String, String>,
    /// Bytes of definitions so far.
    bytes: usize,
    /// All rows were there.
    is_saved: bool,
    in_transaction: bool,
    /// How many transactions were committed.
    commits: u32,
}

impl Conversion {
    /// A comment of the dump, without its dashes at the beginning.
    pub(super) fn comment(&mut self, text: &str) {
        self.is_saved |= text.starts_with(SAVED);
    }

    /// Whether the end has come: rows are in one transaction, what comes behind them in another.
    pub(super) fn is_whole(&self) -> bool {
        self.is_saved && self.commits > 1 && !self.in_transaction
    }

    /// Refuses a line that is no SQL: it may be one the converter has lost.
    pub(super) fn noise(line: &str) -> Result<()> {
        if line.contains(UNKNOWN_LINE.trim_start()) {
            return Err(lost(line));
        }
        Ok(())
    }

    /// The parts that `statement`, whose text includes its delimiter, tells.
    pub(super) fn statement(&mut self, statement: &str) -> Result<Vec<Part>> {
        let statement = statement.trim();
        let statement = statement.strip_suffix(';').unwrap_or(statement);
        self.bytes += statement.len();
        if self.bytes > MAX_DEFINITIONS_BYTES {
            let what = "the definitions of the dump have more than 8 MiB";
            return Err(Error::archive(what));
        }
        if statement.starts_with("CREATE TABLE ") {
            let (table, damages) = table::as_it_was(statement, &self.enums)?;
            return Ok(vec![Part::Table(table, damages)]);
        }
        if let Some(definition) = statement.strip_prefix("CREATE TYPE ") {
            let (name, values) = table::enum_type(definition)?;
            self.enums.insert(name, values);
            return Ok(Vec::new());
        }
        match ending::read(statement) {
            Ok(ending::Statement::Parts(parts)) => return Ok(parts),
            Ok(ending::Statement::Begin) => self.in_transaction = true,
            Ok(ending::Statement::Commit) => {
                self.commits += u32::from(self.in_transaction);
                self.in_transaction = false;
            }
            Err(_) if statement.contains(UNKNOWN_LINE) => return Err(lost(statement)),
            Err(error) => return Err(error),
        }
        Ok(Vec::new())
    }
}

/// The error for a line of the dump that the converter could not read. It reads a row only in the line of
/// its INSERT, where newer servers begin a line for each.
fn lost(text: &str) -> Error {
    let at = text.find(UNKNOWN_LINE.trim_start()).unwrap_or_default();
    let line: String = text[at..].lines().next().unwrap_or_default().to_owned();
    let line: String = line.chars().take(80).collect();
    let line = line.replace(char::is_control, " ");
    Error::archive(format!(
        "GitLab CI could not convert a part of the dump: {line}"
    ))
    .hint(
        "make the backup without MYSQL_TO_POSTGRESQL=1, and convert it here: --mysql-to-postgresql",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_whole_when_both_transactions_are() {
        let mut conversion = Conversion::default();
        let steps = [
            ("START TRANSACTION;", false),
            ("COMMIT;", false),
            ("START TRANSACTION;", false),
            ("DROP SEQUENCE IF EXISTS a_id_seq;", false),
            ("COMMIT;", true),
        ];
        conversion.comment("Post-data save --");
        for (statement, is_whole) in steps {
            conversion.statement(statement).unwrap();
            assert_eq!(conversion.is_whole(), is_whole, "{statement}");
        }
        assert!(
            !Conversion {
                is_saved: false,
                ..conversion
            }
            .is_whole()
        );
    }

    #[test]
    fn lines_that_the_converter_has_lost_are_refused() {
        let line = " ! Unknown line in main body: (1,'a');";
        assert!(Conversion::noise(line).is_err());
        assert!(Conversion::noise("mysqldump: [Warning] a password").is_ok());
        let insert = format!("INSERT INTO \"t\" VALUES\n\n{line}");
        let error = Conversion::default().statement(&insert).unwrap_err();
        assert_eq!(
            error.to_string(),
            "GitLab CI could not convert a part of the dump: ! Unknown line in main body: (1,'a')"
        );
    }

    #[test]
    fn definitions_are_bounded() {
        let mut conversion = Conversion::default();
        let statement = format!("SET escape_string_warning=off{};", " ".repeat(1 << 20));
        let statements = (0..9).map(|_| conversion.statement(&format!("{statement}\n;")));
        assert!(statements.into_iter().any(|read| read.is_err()));
    }
}
