//! Reads tables of a MySQL server, to compare them with the expected ones.

use mysql::prelude::Queryable;
use mysql::{Conn, Value};

use super::error::failure;
use super::load::loader::next_value;
use super::mapping::Table;
use super::options::ConnectionOptions;
use super::sql::{identifier, literal, qualified};
use crate::error::{Error, Result};
use crate::pipeline::planned_rows::PlannedRows;
use crate::pipeline::sink::Sink;
use crate::rows::{Digest, Format, Layout, PlannedColumn};
use crate::verify::{Expected, Numbering, ReadTables};

/// A session that reads tables.
pub struct TableReader {
    connection: Conn,
    /// Whether the session has a snapshot.
    has_snapshot: bool,
}

impl TableReader {
    /// Connects without a snapshot: each table is read as it is at that time.
    pub fn connect(target: &ConnectionOptions) -> Result<TableReader> {
        Ok(TableReader {
            connection: target.connect()?,
            has_snapshot: false,
        })
    }

    /// Connects with a snapshot: all tables of engines with transactions are read as they are now, even if
    /// others write meanwhile (MySQL manual, 15.3.1). A second session could share the snapshot only with a
    /// lock that blocks all others.
    pub fn at_one_moment(target: &ConnectionOptions) -> Result<TableReader> {
        let mut looker = TableReader::connect(target)?;
        for sql in [
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        ] {
            let done = looker.connection.query_drop(sql);
            done.map_err(failure("read a snapshot of the target"))?;
        }
        looker.has_snapshot = true;
        Ok(looker)
    }

    /// The session, which uses the same snapshot.
    pub fn connection(&mut self) -> &mut Conn {
        &mut self.connection
    }

    /// The columns of `table` and their types, in lower case.
    fn types(&mut self, database: &str, table: &str) -> Result<Vec<(String, String)>> {
        let sql = format!(
            "SELECT COLUMN_NAME, LOWER(DATA_TYPE) FROM information_schema.COLUMNS
             WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
            literal(database),
            literal(table)
        );
        self.connection
            .query(sql)
            .map_err(failure(format!("look at the columns of {table}")))
    }
}

impl ReadTables for TableReader {
    fn exists(&mut self, database: &str, table: &str) -> Result<bool> {
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}
             AND TABLE_NAME = {} AND TABLE_TYPE = 'BASE TABLE'",
            literal(database),
            literal(table)
        );
        let found: Option<u64> = self
            .connection
            .query_first(sql)
            .map_err(failure(format!("look for {table}")))?;
        Ok(found == Some(1))
    }

    fn count(&mut self, database: &str, table: &str) -> Result<u64> {
        let sql = format!("SELECT COUNT(*) FROM {}", qualified(database, table));
        let found: Option<u64> = self
            .connection
            .query_first(sql)
            .map_err(failure(format!("count the rows of {table}")))?;
        Ok(found.unwrap_or(0))
    }

    /// Values are read as the server writes them, the same as in its dumps.
    fn read_back(&mut self, database: &str, table: &str, layout: &Layout) -> Result<Digest> {
        let doing = || format!("read {table} back");
        let types = self.types(database, table)?;
        let mut columns = Vec::new();
        for name in &layout.columns {
            let same = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
            let Some((_, data_type)) = types.iter().find(same) else {
                return Err(Error::failed(format!("{table} has no column {name}")));
            };
            columns.push(written(&identifier(name), data_type));
        }
        let sql = format!(
            "SELECT {} FROM {}",
            columns.join(", "),
            qualified(database, table)
        );
        let layout = layout.in_order();
        let mut digest = Digest::default();
        let rows = self.connection.query_iter(sql).map_err(failure(doing()))?;
        for row in rows {
            let values = row.map_err(failure(doing()))?.unwrap();
            let values: Vec<Option<&[u8]>> = values
                .iter()
                .map(|value| match value {
                    Value::Bytes(bytes) => Some(bytes.as_slice()),
                    _ => None,
                })
                .collect();
            digest.add_values(&layout, &values);
        }
        Ok(digest)
    }

    fn numbering(&mut self, database: &str, table: &str, column: &str) -> Result<Numbering> {
        let types = self.types(database, table)?;
        if !types
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(column))
        {
            return Ok(Numbering::Broken(format!("has no column {column}")));
        }
        let Some(next) = next_value(&mut self.connection, database, table)? else {
            return Ok(Numbering::Broken(format!(
                "its column {column} has no AUTO_INCREMENT"
            )));
        };
        // One less than the maximum that the next value may have.
        let sql = format!(
            "SELECT CAST(LEAST(COALESCE(MAX({}), 0), {}) AS SIGNED) FROM {}",
            identifier(column),
            i64::MAX - 1,
            qualified(database, table)
        );
        let largest: Option<i64> = self
            .connection
            .query_first(sql)
            .map_err(failure(format!("look at {column} of {table}")))?;
        let largest = largest.unwrap_or(0);
        let goes_on = next > largest || self.needs_no_next(database, table, column, largest)?;
        Ok(Numbering::From {
            next: if goes_on { next.max(largest + 1) } else { next },
            largest,
            by: "AUTO_INCREMENT",
        })
    }

    fn is_in_snapshot(&mut self, database: &str, table: &str) -> Result<bool> {
        if !self.has_snapshot {
            return Ok(true);
        }
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.TABLES t
             JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
             WHERE t.TABLE_SCHEMA = {} AND t.TABLE_NAME = {} AND e.TRANSACTIONS = 'YES'",
            literal(database),
            literal(table)
        );
        let found: Option<u64> = self
            .connection
            .query_first(sql)
            .map_err(failure(format!("look at the engine of {table}")))?;
        Ok(found == Some(1))
    }
}

impl TableReader {
    /// Whether AUTO_INCREMENT may be at or below `largest`. If the column is not the first of a key, numbers
    /// are given per value of the columns before it (MySQL manual, 5.6.9). If all numbers of the type are
    /// used, there is no next one.
    fn needs_no_next(
        &mut self,
        database: &str,
        table: &str,
        column: &str,
        largest: i64,
    ) -> Result<bool> {
        let place = format!(
            "TABLE_SCHEMA = {} AND TABLE_NAME = {} AND COLUMN_NAME = {}",
            literal(database),
            literal(table),
            literal(column)
        );
        let sql = format!(
            "SELECT LOWER(COLUMN_TYPE), (SELECT COUNT(*) FROM information_schema.STATISTICS
                                         WHERE {place} AND SEQ_IN_INDEX = 1)
             FROM information_schema.COLUMNS WHERE {place}"
        );
        let found: Option<(String, u64)> = self
            .connection
            .query_first(sql)
            .map_err(failure(format!("look at {column} of {table}")))?;
        Ok(found.is_some_and(|(column_type, firsts)| {
            firsts == 0 || last_number(&column_type) == Some(largest)
        }))
    }
}

/// The largest number of an integer type, in the server's notation, if it is less than that of `bigint`
/// (MySQL manual, 13.1.2).
fn last_number(column_type: &str) -> Option<i64> {
    let name = column_type.split(['(', ' ']).next().unwrap_or_default();
    let bits = match name {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        _ => return None,
    };
    let bits = bits - u32::from(!column_type.contains("unsigned"));
    Some((1 << bits) - 1)
}

/// The expression that returns the values of a column as they are in the lines of LOAD DATA.
fn written(column: &str, data_type: &str) -> String {
    match data_type {
        "bit" => format!("{column} + 0"),
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "geometry"
        | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" | "geomcollection" | "vector" => {
            format!("LOWER(HEX({column}))")
        }
        _ => column.to_owned(),
    }
}

impl Sink<Table> for Expected {
    const FORMAT: Format = Format::LoadData;

    fn table(&mut self, table: &Table) -> Result<()> {
        self.add(None, &table.definition.name, table.numbered());
        Ok(())
    }

    fn complete(&mut self, number: usize, table: &Table) -> Result<()> {
        self.number(number, table.numbered());
        Ok(())
    }

    fn alter(&mut self, number: usize, _: &Table, table: &Table) -> Result<()> {
        self.number(number, table.numbered());
        Ok(())
    }

    fn drop_table(&mut self, number: usize) -> Result<()> {
        self.forget(number);
        Ok(())
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        self.hash(rows)
    }

    fn spare(&mut self) -> Option<Vec<u8>> {
        self.given_back()
    }

    fn statement(&self, _: &Table, _: &[PlannedColumn], _: Format) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_numbers_of_types() {
        for (column_type, last) in [
            ("tinyint(4)", Some(127)),
            ("smallint(5) unsigned", Some(65535)),
            ("mediumint(9)", Some(8_388_607)),
            ("int", Some(2_147_483_647)),
            ("int(10) unsigned zerofill", Some(4_294_967_295)),
            ("bigint(20)", None),
            ("double", None),
        ] {
            assert_eq!(last_number(column_type), last, "{column_type}");
        }
    }
}
