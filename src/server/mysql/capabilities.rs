//! The features of a server that the definition of a table may need.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::error::failure;
use super::session::{is_mariadb, version};
use crate::error::Result;

/// The capabilities of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The collations in lower case, each with its character set.
    collations: Vec<(String, String)>,
    /// The storage engines.
    engines: Vec<String>,
    /// Whether keys may have expressions, and all types may have defaults.
    expression_keys: bool,
    /// Whether the server is MariaDB, not MySQL.
    is_mariadb: bool,
    /// Whether the server stores the names of tables in lower case.
    lower_case_tables: bool,
}

impl Capabilities {
    /// Queries the server.
    pub fn of(connection: &mut Conn) -> Result<Capabilities> {
        let collations = connection
            .query(
                "SELECT LOWER(COLLATION_NAME), LOWER(CHARACTER_SET_NAME)
                 FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY",
            )
            .map_err(failure("list the collations of the server"))?;
        let engines = connection
            .query(
                "SELECT ENGINE FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')",
            )
            .map_err(failure("list the engines of the server"))?;
        // Only MySQL since 8.0.13 has this column; MariaDB never has it.
        let expressions: Option<u64> = connection
            .query_first(
                "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE COLUMN_NAME = 'EXPRESSION'
                 AND TABLE_NAME = 'STATISTICS' AND LOWER(TABLE_SCHEMA) = 'information_schema'",
            )
            .map_err(failure("ask what keys the server knows"))?;
        let lower_case: Option<u8> = connection
            .query_first("SELECT @@lower_case_table_names")
            .map_err(failure("ask how the server keeps names"))?;
        Ok(Capabilities {
            collations,
            engines,
            expression_keys: expressions == Some(1),
            is_mariadb: is_mariadb(&version(connection)?),
            lower_case_tables: lower_case == Some(1),
        })
    }

    pub(super) fn has_charset(&self, name: &str) -> bool {
        self.collations.iter().any(|(_, charset)| charset == name)
    }

    pub(super) fn has_collation(&self, name: &str) -> bool {
        self.collations
            .iter()
            .any(|(collation, _)| collation == name)
    }

    pub(super) fn has_expression_keys(&self) -> bool {
        self.expression_keys
    }

    /// Whether the server would rename this table.
    pub(super) fn renames(&self, table: &str) -> bool {
        self.lower_case_tables && table.to_lowercase() != table
    }

    /// Whether the server has the types `uuid`, `inet4` and `inet6`, accepts a constant as the default of a
    /// text, and has no NOT NULL for generated columns (MariaDB's knowledge base).
    pub(super) fn is_mariadb(&self) -> bool {
        self.is_mariadb
    }

    pub(super) fn has_engine(&self, name: &str) -> bool {
        self.engines
            .iter()
            .any(|engine| engine.eq_ignore_ascii_case(name))
    }
}
