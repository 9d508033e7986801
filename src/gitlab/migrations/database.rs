//! What built-in migrations ask about the database of a GitLab.

use crate::error::Result;

/// The tables of CI and of GitLab in a database. Each server answers with its own SQL.
pub trait CiDatabase {
    /// The condition for services whose type lacks its prefix.
    const UNPREFIXED: &'static str;

    /// The expression for their prefixed type.
    const PREFIXED: &'static str;

    /// The schema with the tables.
    fn schema(&self) -> &str;

    /// The quoted name of a table, with its schema.
    fn qualified(&self, table: &str) -> String;

    /// Those of `tables` that exist.
    fn existing(&mut self, tables: &[&str]) -> Result<Vec<String>>;

    /// Whether the table `table` has the column `column`.
    fn has_column(&mut self, table: &str, column: &str) -> Result<bool>;

    /// The number of rows that the clause FROM `from` selects.
    fn count(&mut self, from: &str) -> Result<i64>;

    /// How many of CI's tags GitLab does not have.
    fn missing_tags(&mut self) -> Result<i64>;

    /// How many of CI's taggings that have a tag GitLab does not have; none if it lacks the tables for them.
    fn missing_taggings(&mut self) -> Result<Option<i64>>;
}
