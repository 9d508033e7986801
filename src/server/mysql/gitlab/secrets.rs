//! The encrypted values of CI in MySQL.

use std::collections::BTreeMap;

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::Result;
use crate::gitlab::secrets::{Encrypted, EncryptedColumn, EncryptedRow, Held, encrypted_columns};
use crate::gitlab::tables::TABLES;
use crate::server::encrypted::{ReadsEncrypted, TakeEncrypted};
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::{identifier, literal, qualified};

/// A project, and the encrypted value, the IV and the salt of a row.
type Values = (Option<Vec<u8>>, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

impl ReadsEncrypted for Conn {
    fn count_encrypted(&mut self, database: &str) -> Result<Held> {
        let mut held = Held::default();
        for column in columns(self, database)? {
            let is_encrypted = has_value(&column.name);
            let is_plain = column.plain.as_deref().map_or_else(
                || "FALSE".to_owned(),
                |plain| format!("NOT ({is_encrypted}) AND {}", has_value(plain)),
            );
            let sql = format!(
                "SELECT COUNT(CASE WHEN {is_encrypted} THEN 1 END), COUNT(CASE WHEN {is_plain} THEN 1 END) FROM {}",
                qualified(database, &column.table)
            );
            let counts: Option<(u64, u64)> = self.query_first(sql).map_err(failure(format!(
                "count the encrypted values of {}",
                column.table
            )))?;
            let (encrypted, never_encrypted) = counts.unwrap_or_default();
            held.encrypted += encrypted;
            held.never_encrypted += never_encrypted;
        }
        Ok(held)
    }

    fn read_encrypted(&mut self, database: &str, take: &mut TakeEncrypted<'_>) -> Result<()> {
        for column in columns(self, database)? {
            let doing = || failure(format!("read the encrypted values of {}", column.table));
            let project = column
                .project
                .as_deref()
                .map_or_else(|| "NULL".to_owned(), identifier);
            let sql = format!(
                "SELECT {project}, {}, {}, {} FROM {} WHERE {}",
                identifier(&column.name),
                identifier(&column.iv),
                identifier(&column.salt),
                qualified(database, &column.table),
                has_value(&column.name)
            );
            let rows = self.query_iter(sql).map_err(doing())?;
            for row in rows {
                let row = row.map_err(doing())?;
                let (project, value, iv, salt): Values = mysql::from_row(row);
                let project = project.and_then(|id| str::from_utf8(&id).ok()?.parse().ok());
                take(EncryptedRow {
                    project,
                    encrypted: Encrypted { value, iv, salt },
                })?;
            }
        }
        Ok(())
    }
}

/// The condition that a row has a value in `column`. attr_encrypted does not encrypt an empty text.
fn has_value(column: &str) -> String {
    format!("COALESCE({}, '') <> ''", identifier(column))
}

/// The encrypted columns of CI's tables in `database`: texts, and numbers of projects.
fn columns(connection: &mut Conn, database: &str) -> Result<Vec<EncryptedColumn>> {
    let names: Vec<String> = TABLES.iter().map(|table| literal(table)).collect();
    let sql = format!(
        "SELECT c.TABLE_NAME, c.COLUMN_NAME FROM information_schema.COLUMNS c
         JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
         WHERE c.TABLE_SCHEMA = {} AND c.TABLE_NAME IN ({}) AND t.TABLE_TYPE = 'BASE TABLE'
           AND c.DATA_TYPE IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'smallint',
                               'mediumint', 'int', 'bigint')",
        literal(database),
        names.join(", ")
    );
    let rows: Vec<(String, String)> = connection
        .query(sql)
        .map_err(failure("look for encrypted columns"))?;
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in rows {
        tables.entry(table).or_default().push(column);
    }
    let found = tables
        .iter()
        .flat_map(|(table, columns)| encrypted_columns(table, columns.iter().map(String::as_str)));
    Ok(found.collect())
}
