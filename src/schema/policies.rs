//! What is asked of a conversion: the policies of the design's table of types, and which parts of a
//! dump are taken.

use std::sync::Arc;

pub use super::column_policies::{
    ColumnPolicies, Enums, GeneratedColumns, Geometry, OnUpdate, Policy, Times, Timestamps,
    Tinyint1, Vectors,
};
use super::map::Map;
use crate::dump::Databases;
use crate::error::{Error, Result};
use crate::rows::ValuePolicies;

/// The choices of one conversion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// What each column becomes that the map says nothing of.
    pub columns: ColumnPolicies,
    /// What is said of single databases, tables and columns.
    pub map: Arc<Map>,
    /// Tables and columns that are left out.
    pub skip_columns: Vec<(String, String)>,
    /// Tables that are left out.
    pub skip_tables: Vec<String>,
    /// If not empty, all other tables are left out.
    pub only_tables: Vec<String>,
    /// The databases to take.
    pub databases: Databases,
    /// Whether a column of a type that is not supported is left out instead of being an error.
    pub skip_unsupported: bool,
    /// The generated columns that the server has.
    pub generated_support: GeneratedSupport,
    /// Where PostGIS is.
    pub postgis: Extension,
    /// Where pgvector is.
    pub pgvector: Extension,
    /// Whether a server decides about generated columns and duplicates after all rows are loaded.
    pub settles: bool,
}

impl Policies {
    /// Those of who only looks at a dump: values that need a policy are counted, and are no error.
    #[must_use]
    pub fn to_look() -> Policies {
        Policies {
            columns: ColumnPolicies {
                values: ValuePolicies::lenient(),
                tinyint1: Tinyint1::Truthy,
                time: Times::Interval,
                ..ColumnPolicies::default()
            },
            skip_unsupported: true,
            ..Policies::default()
        }
    }

    /// An error if there is a mapping file: it is not for the tables of GitLab CI.
    pub fn refuse_map(&self) -> Result<()> {
        if self.map.is_empty() {
            return Ok(());
        }
        Err(Error::usage(
            "--map is for dumps: the tables of GitLab CI are as GitLab needs them",
        ))
    }

    /// The same policies for tables that are known, or not: the types of known ones do not depend on values, and GitLab sets
    /// the time of a change itself.
    #[must_use]
    pub fn for_tables(&self, are_known: bool) -> Policies {
        let mut policies = self.clone();
        let columns = &mut policies.columns;
        if are_known && columns.tinyint1 == Tinyint1::Auto {
            columns.tinyint1 = Tinyint1::Boolean;
        }
        if are_known {
            columns.on_update = OnUpdate::None;
        }
        policies
    }

    /// The same policies for a target whose only schema is `schema`, unless each database has one.
    #[must_use]
    pub fn within(mut self, schema: &str) -> Policies {
        if self.databases != Databases::All {
            self.map = self.map.within(schema).into();
        }
        self
    }

    /// Whether `table` is taken. If its `database` becomes a schema, it may be named with it.
    #[must_use]
    pub fn takes_table(&self, database: Option<&str>, table: &str) -> bool {
        let is_it = |name: &String| {
            let within =
                database.and_then(|database| name.strip_prefix(database)?.strip_prefix('.'));
            name == table || within == Some(table)
        };
        let named = |list: &[String]| list.iter().any(is_it);
        let is_skipped = self.map.table(database, table).is_some_and(|it| it.skip);
        !is_skipped
            && !named(&self.skip_tables)
            && (self.only_tables.is_empty() || named(&self.only_tables))
    }

    /// Whether `column` of `table` is taken. If its `database` becomes a schema, it may be named with it.
    #[must_use]
    pub fn takes_column(&self, database: Option<&str>, table: &str, column: &str) -> bool {
        let of_table = self.map.table(database, table);
        let of_column = of_table.and_then(|it| it.column(column));
        if of_column.is_some_and(|it| it.skip) {
            return false;
        }
        let simple = format!("{table}.{column}");
        let qualified = database.map(|database| format!("{database}.{simple}"));
        !self.skip_columns.iter().any(|(table, column)| {
            let name = format!("{table}.{column}");
            name == simple || Some(&name) == qualified.as_ref()
        })
    }
}

/// The generated columns of a PostgreSQL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GeneratedSupport {
    /// None, before version 12.
    None,
    /// Stored ones.
    #[default]
    Stored,
    /// Virtual ones, too, since version 18.
    StoredAndVirtual,
}

/// Where the types of an extension are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Extension {
    /// It is not known, as no server was asked: their names are not qualified.
    #[default]
    Somewhere,
    /// In this schema.
    In(String),
    /// The database does not have them.
    Missing,
}
