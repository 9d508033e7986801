//! The mapping file: TOML with a table for each database, table and column.
//!
//! ```toml
//! [databases.shop]
//! schema = "store"
//!
//! [tables.orders]
//! name = "sales_orders"
//!
//! [tables.orders.columns.paid]
//! type = "boolean"
//! ```

use toml::{Table, Value};

use super::types::named;
use super::{ColumnMap, Map, TableMap};
use crate::error::{Error, Result};
use crate::schema::column_policies::{POLICIES, Policy};
use crate::schema::names::MAX_BYTES;

impl Map {
    /// What the text of a mapping file says.
    pub fn parse(text: &str) -> Result<Map> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let (line, column) = error.span().map_or((1, 1), |span| place(text, span.start));
            let what = error.message().to_owned();
            Error::usage(format!("line {line}, column {column}: {what}"))
        })?;
        let mut map = Map::default();
        for (key, value) in &table {
            let inner = inner(value, key)?;
            match key.as_str() {
                "databases" => {
                    for (name, value) in inner {
                        let schema = database(value, &format!("databases.{name}"))?;
                        map.databases.insert(name.clone(), schema);
                    }
                }
                "tables" => {
                    for (name, value) in inner {
                        let of_table = table_map(value, &format!("tables.{name}"))?;
                        map.tables.insert(name.clone(), of_table);
                    }
                }
                _ => return Err(unknown(key, "", &["databases", "tables"])),
            }
        }
        Ok(map)
    }
}

fn database(value: &Value, path: &str) -> Result<String> {
    let mut schema = None;
    for (key, value) in inner(value, path)? {
        match key.as_str() {
            "schema" => schema = Some(schema_name(value, &format!("{path}.{key}"))?),
            _ => return Err(unknown(key, path, &["schema"])),
        }
    }
    schema.ok_or_else(|| Error::usage(format!("{path}: schema is missing")))
}

fn table_map(value: &Value, path: &str) -> Result<TableMap> {
    let mut table = TableMap::default();
    for (key, value) in other_keys(value, path, &mut table.policies)? {
        let here = format!("{path}.{key}");
        match key {
            "name" => table.name = Some(name(value, &here)?),
            "schema" => table.schema = Some(schema_name(value, &here)?),
            "skip" => table.skip = truth(value, &here)?,
            "columns" => {
                for (name, value) in inner(value, &here)? {
                    let column = column_map(value, &format!("{here}.{name}"))?;
                    table.columns.insert(name.clone(), column);
                }
            }
            _ => {
                return Err(unknown(key, path, &["name", "schema", "skip", "columns"]));
            }
        }
    }
    Ok(table)
}

fn column_map(value: &Value, path: &str) -> Result<ColumnMap> {
    let mut column = ColumnMap::default();
    for (key, value) in other_keys(value, path, &mut column.policies)? {
        let here = format!("{path}.{key}");
        match key {
            "name" => column.name = Some(name(value, &here)?),
            "skip" => column.skip = truth(value, &here)?,
            "type" => {
                let written = text(value, &here)?;
                let data_type = named(written).ok_or_else(|| {
                    Error::usage(format!(
                        "{here}: {written:?} is no built-in type of PostgreSQL"
                    ))
                })?;
                column.data_type = Some(data_type);
            }
            _ => return Err(unknown(key, path, &["name", "type", "skip"])),
        }
    }
    Ok(column)
}

/// Puts the policies in the table `value` into `policies`, and returns its other keys.
fn other_keys<'a>(
    value: &'a Value,
    path: &str,
    policies: &mut Vec<Policy>,
) -> Result<Vec<(&'a str, &'a Value)>> {
    let mut others = Vec::new();
    for (key, value) in inner(value, path)? {
        if !POLICIES.contains(&key.as_str()) {
            others.push((key.as_str(), value));
            continue;
        }
        let here = format!("{path}.{key}");
        let written = text(value, &here)?;
        let policy = Policy::named(key, written)
            .map_err(|known| Error::usage(format!("{here}: {written:?} is not one of {known}")))?;
        policies.push(policy);
    }
    Ok(others)
}

fn inner<'a>(value: &'a Value, path: &str) -> Result<&'a Table> {
    let table = value.as_table();
    table.ok_or_else(|| Error::usage(format!("{path} must be a table, written as [{path}]")))
}

fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str> {
    let text = value.as_str();
    text.ok_or_else(|| Error::usage(format!("{path} must be a text in quotes")))
}

fn truth(value: &Value, path: &str) -> Result<bool> {
    let truth = value.as_bool();
    truth.ok_or_else(|| Error::usage(format!("{path} must be true or false")))
}

/// A name that PostgreSQL can have.
fn name(value: &Value, path: &str) -> Result<String> {
    let name = text(value, path)?;
    if name.is_empty() || name.len() > MAX_BYTES || name.contains('\0') {
        return Err(Error::usage(format!(
            "{path}: a name in PostgreSQL has 1 to {MAX_BYTES} bytes"
        )));
    }
    Ok(name.to_owned())
}

/// A name that a schema can have: PostgreSQL keeps some for itself, an import others.
fn schema_name(value: &Value, path: &str) -> Result<String> {
    let name = name(value, path)?;
    if super::is_reserved_schema(&name) {
        return Err(Error::usage(format!(
            "{path}: PostgreSQL or ci-import needs the schema {name}"
        )));
    }
    Ok(name)
}

fn unknown(key: &str, path: &str, known: &[&str]) -> Error {
    let place = if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    };
    let mut hint = format!("there are {}", known.join(", "));
    if known.contains(&"skip") {
        hint.push_str(", and the policies ");
        hint.push_str(&POLICIES.join(", "));
    }
    Error::usage(format!("{place}the key {key:?} is not known")).hint(hint)
}

/// The line and column of a byte, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..at.min(text.len())];
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    (line, before.len() - start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::column_policies::{ColumnPolicies, Tinyint1};
    use crate::schema::model::DataType;

    #[test]
    fn a_file_says_what_tables_and_columns_become() {
        let map = Map::parse(
            "[databases.shop]\nschema = 'store'\n\
             [tables.'shop.orders']\nname = 'sales'\ntinyint1 = 'smallint'\n\
             [tables.orders.columns.paid]\nname = 'is_paid'\ntype = 'boolean'\ntinyint1 = 'truthy'\n\
             [tables.logs]\nskip = true\nschema = 'old'\n",
        )
        .unwrap();
        let place = |database: Option<&str>, table: &str| {
            let (schema, name) = map.place(database, table);
            format!("{}.{name}", schema.as_deref().unwrap_or_default())
        };
        assert_eq!(place(Some("shop"), "orders"), "store.sales");
        assert_eq!(place(Some("blog"), "orders"), "blog.orders");
        assert_eq!(
            (place(None, "orders"), place(None, "logs")),
            (".orders".into(), "old.logs".into())
        );
        let orders = map.table(None, "orders").unwrap();
        assert_eq!(orders.name_of("PAID"), Some("is_paid"));
        let policies = orders.policies(ColumnPolicies::default(), "paid");
        assert_eq!(policies.tinyint1, Tinyint1::Truthy);
        assert_eq!(orders.columns["paid"].data_type, Some(DataType::Boolean));
        assert!(map.table(None, "logs").unwrap().skip);
        assert_eq!(map.within("old").place(None, "logs").0, None);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, expected) in [
            ("[tables.a]\nname = \n", "line 2, column 8: "),
            ("[table.a]\n", "the key \"table\" is not known"),
            (
                "[tables.a]\nnam = 'b'\n",
                "tables.a: the key \"nam\" is not known",
            ),
            (
                "tables = 1\n",
                "tables must be a table, written as [tables]",
            ),
            (
                "[tables.a]\nskip = 'yes'\n",
                "tables.a.skip must be true or false",
            ),
            (
                "[tables.a]\ntime = 1\n",
                "tables.a.time must be a text in quotes",
            ),
            (
                "[tables.a]\ntime = 'x'\n",
                "tables.a.time: \"x\" is not one of time, interval",
            ),
            (
                "[tables.a.columns.b]\ntype = 'tinyint'\n",
                "tables.a.columns.b.type: \"tinyint\" is no",
            ),
            (
                "[tables.a]\nname = ''\n",
                "tables.a.name: a name in PostgreSQL has 1 to 63 bytes",
            ),
            (
                "[tables.a]\nschema = 'pg_x'\n",
                "tables.a.schema: PostgreSQL or ci-import needs",
            ),
            ("[databases.a]\n", "databases.a: schema is missing"),
        ] {
            let error = Map::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
