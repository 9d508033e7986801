//! The state of reading a converted dump.

use std::collections::HashMap;

use super::ending::{self, EndStatement};
use super::part::Part;
use super::table;
use crate::error::{Error, Result};

/// The comment behind all rows.
const SAVED: &str = "Post-data save";

/// The converter wrote this into its output for a line that it could not read.
const UNKNOWN_LINE: &str = " ! Unknown line ";

/// The program that wrote the dump, for the report.
pub(crate) const WRITTEN_BY: &str = "db_converter, by which GitLab CI converts dumps of MySQL";

/// The state of reading a converted dump.
#[derive(Debug, Default)]
pub(crate) struct Conversion {
    /// The values of enums, by the names of their types.
    enums: HashMap<String, String>,
    /// Whether the comment behind all rows was read.
    is_saved: bool,
    in_transaction: bool,
    /// How many transactions were committed.
    commits: u32,
}

impl Conversion {
    /// A comment of the dump, without its dashes at the beginning.
    pub(crate) fn comment(&mut self, text: &str) {
        self.is_saved |= text.starts_with(SAVED);
    }

    /// Whether the dump is complete: the rows are in one transaction, what follows them in a second one.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_saved && self.commits > 1 && !self.in_transaction
    }

    /// Refuses a line that is not SQL if it is one that the converter could not read.
    pub(crate) fn noise(line: &str) -> Result<()> {
        if line.contains(UNKNOWN_LINE.trim_start()) {
            return Err(lost(line));
        }
        Ok(())
    }

    /// The parts in `statement`, whose text includes its delimiter.
    pub(crate) fn statement(&mut self, statement: &str) -> Result<Vec<Part>> {
        let statement = statement.trim();
        let statement = statement.strip_suffix(';').unwrap_or(statement);
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
            Ok(EndStatement::Parts(parts)) => return Ok(parts),
            Ok(EndStatement::Begin) => self.in_transaction = true,
            Ok(EndStatement::Commit) => {
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
/// its INSERT, but newer servers write each row on its own line.
fn lost(text: &str) -> Error {
    let at = text.find(UNKNOWN_LINE.trim_start()).unwrap_or_default();
    let line: String = text[at..].lines().next().unwrap_or_default().to_owned();
    let line: String = line.chars().take(80).collect();
    let line = line.replace(char::is_control, " ");
    Error::archive("GitLab CI could not convert a part of the dump")
        .withholding(line)
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
            "GitLab CI could not convert a part of the dump"
        );
        assert_eq!(
            error.withheld(),
            Some("! Unknown line in main body: (1,'a')")
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
