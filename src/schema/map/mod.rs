//! What a mapping file says of single databases, tables and columns of a dump.

mod file;
mod types;

use std::collections::HashMap;

use super::column_policies::{ColumnPolicies, Policy};
use super::model::DataType;
use super::names::{fitting, schema_of};

/// What is said of single databases, tables and columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map {
    /// The schemas of databases.
    databases: HashMap<String, String>,
    /// The tables, as `TABLE` or `DATABASE.TABLE`.
    tables: HashMap<String, TableMap>,
}

/// What is said of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableMap {
    /// Its name in the target.
    pub name: Option<String>,
    /// Its schema in the target.
    pub schema: Option<String>,
    /// Whether it is left out.
    pub skip: bool,
    /// The policies for its columns.
    pub policies: Vec<Policy>,
    /// Its columns.
    pub columns: HashMap<String, ColumnMap>,
}

/// What is said of a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap {
    /// Its name in the target.
    pub name: Option<String>,
    /// Its type in the target.
    pub data_type: Option<DataType>,
    /// Whether it is left out.
    pub skip: bool,
    /// Its policies.
    pub policies: Vec<Policy>,
}

impl Map {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.databases.is_empty() && self.tables.is_empty()
    }

    /// What is said of a table. If its `database` becomes a schema, it may be named with it.
    #[must_use]
    pub fn table(&self, database: Option<&str>, table: &str) -> Option<&TableMap> {
        if self.tables.is_empty() {
            return None;
        }
        let qualified = database.map(|database| format!("{database}.{table}"));
        let qualified = qualified.and_then(|name| self.tables.get(&name));
        qualified.or_else(|| self.tables.get(table))
    }

    /// As [`Map::table`], for a table that a foreign key names: MySQL on some systems ignores the case of names.
    #[must_use]
    pub fn referenced(&self, database: Option<&str>, table: &str) -> Option<&TableMap> {
        self.table(database, table).or_else(|| {
            let mut known = self.tables.keys();
            let exact = known.find(|name| {
                let own = database.and_then(|it| name.strip_prefix(it)?.strip_prefix('.'));
                own.unwrap_or(name).eq_ignore_ascii_case(table)
            })?;
            self.tables.get(exact)
        })
    }

    /// The schema of a table in the target, if it has one of its own, and its name there.
    #[must_use]
    pub fn place(&self, database: Option<&str>, table: &str) -> (Option<String>, String) {
        let of_table = self.table(database, table);
        let schema = of_table.and_then(|it| it.schema.clone());
        let schema = schema.or_else(|| database.map(|database| self.schema_of(database)));
        let name = of_table.and_then(|it| it.name.as_deref());
        (schema, fitting(name.unwrap_or(table)))
    }

    /// The schema for the tables of `database`.
    fn schema_of(&self, database: &str) -> String {
        let named = self.databases.get(database);
        named.map_or_else(|| schema_of(database), Clone::clone)
    }

    /// Whether it names the schema of a table or of its database.
    #[must_use]
    pub fn names_schema(&self, database: Option<&str>, table: &str) -> bool {
        let of_table = self.table(database, table);
        of_table.is_some_and(|it| it.schema.is_some())
            || database.is_some_and(|database| self.databases.contains_key(database))
    }

    /// Whether it names the schemas of databases.
    #[must_use]
    pub fn has_databases(&self) -> bool {
        !self.databases.is_empty()
    }

    /// Whether it names schemas of tables.
    #[must_use]
    pub fn has_schemas(&self) -> bool {
        self.tables.values().any(|table| table.schema.is_some())
    }

    /// The same, for a target whose only schema is `schema`: tables for this one need no schema of their own.
    #[must_use]
    pub fn within(&self, schema: &str) -> Map {
        let mut map = self.clone();
        for table in map.tables.values_mut() {
            table.schema.take_if(|own| own == schema);
        }
        map
    }

    /// Whether it gives `policy` to a table or a column.
    #[must_use]
    pub fn has_policy(&self, policy: Policy) -> bool {
        self.tables.values().any(|table| {
            let of_columns = table.columns.values().flat_map(|column| &column.policies);
            table
                .policies
                .iter()
                .chain(of_columns)
                .any(|it| *it == policy)
        })
    }

    /// The names of tables in it.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }
}

/// Whether no schema for tables can have this name: PostgreSQL keeps some names for itself, an import others.
#[must_use]
pub fn is_reserved_schema(name: &str) -> bool {
    let mut beginnings = ["pg_", "ci_import_"].iter();
    name == "information_schema" || beginnings.any(|it| name.starts_with(it))
}

impl TableMap {
    /// What is said of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnMap> {
        self.columns.get(name)
    }

    /// The name of a column in the target, if the map gives it one. MySQL ignores the case of names.
    #[must_use]
    pub fn name_of(&self, column: &str) -> Option<&str> {
        let exact = self.columns.get(column);
        let found = exact.or_else(|| {
            let mut columns = self.columns.iter();
            let alike = columns.find(|(name, _)| name.eq_ignore_ascii_case(column));
            alike.map(|(_, found)| found)
        });
        found?.name.as_deref()
    }

    /// The policies of a column that has `policies` otherwise.
    #[must_use]
    pub fn policies(&self, policies: ColumnPolicies, column: &str) -> ColumnPolicies {
        let of_column = self.column(column).map_or(&[][..], |it| &it.policies);
        policies.with(&self.policies).with(of_column)
    }
}
