//! Checks that the server has stored the rows as they were sent. With LOAD DATA LOCAL the server only warns
//! about rows that it skipped or changed, even in strict mode (MySQL manual, 15.2.9, "Duplicate-Key and Error
//! Handling").

use mysql::Conn;
use mysql::error::MySqlError;
use mysql::prelude::Queryable;

use crate::error::{Error, Result};
use crate::server::mysql::error::failure;
use crate::server::mysql::message::message;

/// The number of "Incorrect string value".
const INCORRECT_STRING: u32 = 1366;

/// The number of "Data truncated for column", also for a value that the enum does not have.
const DATA_TRUNCATED: u32 = 1265;

/// The rows that a statement has sent.
pub(crate) struct Sent<'a> {
    /// The table.
    pub(crate) table: &'a str,
    /// The enums of the table without the empty text.
    pub(crate) enums: &'a [String],
    /// The number of rows.
    pub(crate) rows: u64,
    /// The number of values that their enum does not have.
    pub(crate) empty: u64,
}

impl Sent<'_> {
    /// An error unless the statement that `connection` has just run has stored all rows unchanged.
    pub(crate) fn check(&self, connection: &mut Conn) -> Result<()> {
        let taken = connection.affected_rows();
        if taken == self.rows && (connection.warnings() == 0 || self.is_expected(connection)?) {
            return Ok(());
        }
        Err(self.first_warning(connection)?.unwrap_or_else(|| {
            let Sent { table, rows, .. } = self;
            Error::failed(format!(
                "{table}: {rows} rows were sent, but the server took {taken}"
            ))
        }))
    }

    /// Whether all warnings are about values that their enum does not have.
    fn is_expected(&self, connection: &mut Conn) -> Result<bool> {
        // The count at the end of the statement stops at 65,535.
        let count: Option<u64> = connection
            .query_first("SELECT @@warning_count")
            .map_err(failure(format!("load {}", self.table)))?;
        Ok(count == Some(self.empty))
    }

    /// The server's first warning about skipped or changed rows. A warning about an enum only if there is no
    /// other.
    fn first_warning(&self, connection: &mut Conn) -> Result<Option<Error>> {
        let table = self.table;
        let told: Vec<(String, u32, String)> = connection
            .query("SHOW WARNINGS")
            .map_err(failure(format!("load {table}")))?;
        let is_of_enum = |code: u32, message: &str| {
            let mut names = self.enums.iter();
            code == DATA_TRUNCATED && names.any(|name| message.contains(&format!("'{name}'")))
        };
        let other = told
            .iter()
            .find(|(_, code, message)| !is_of_enum(*code, message));
        let Some((_, code, text)) = other.or(told.first()) else {
            return Ok(None);
        };
        let said = message(&MySqlError {
            state: String::new(),
            message: text.clone(),
            code: u16::try_from(*code).unwrap_or_default(),
        });
        let error = Error::failed(format!("cannot load {table}: {}", said.shown))
            .withholding(said.withheld);
        Ok(Some(if *code == INCORRECT_STRING {
            error.hint(
                "if the dump does not name the tables' character sets, the database's is used; it must \
                 support all characters, as utf8mb4 does",
            )
        } else {
            error
        }))
    }
}
