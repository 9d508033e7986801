//! The encrypted values of CI in PostgreSQL.

use std::collections::BTreeMap;

use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use postgres::{Client, Row};

use crate::error::Result;
use crate::gitlab::secrets::{Encrypted, EncryptedColumn, EncryptedRow, Held, encrypted_columns};
use crate::gitlab::tables::TABLES;
use crate::schema::sql::{identifier, qualified};
use crate::server::encrypted::{ReadsEncrypted, TakeEncrypted};
use crate::server::postgresql::error::failure;

impl ReadsEncrypted for Client {
    fn count_encrypted(&mut self, schema: &str) -> Result<Held> {
        let mut held = Held::default();
        for column in columns(self, schema)? {
            let is_encrypted = has_value(&column.name);
            let is_plain = column.plain.as_deref().map_or_else(
                || "false".to_owned(),
                |plain| format!("NOT ({is_encrypted}) AND {}", has_value(plain)),
            );
            let sql = format!(
                "SELECT count(*) FILTER (WHERE {is_encrypted}), count(*) FILTER (WHERE {is_plain}) FROM {}",
                qualified(schema, &column.table)
            );
            let row = self.query_one(&sql, &[]).map_err(failure(format!(
                "count the encrypted values of {}",
                column.table
            )))?;
            let count = |place| u64::try_from(row.get::<_, i64>(place)).unwrap_or_default();
            held.encrypted += count(0);
            held.never_encrypted += count(1);
        }
        Ok(held)
    }

    fn read_encrypted(&mut self, schema: &str, take: &mut TakeEncrypted<'_>) -> Result<()> {
        for column in columns(self, schema)? {
            let doing = || failure(format!("read the encrypted values of {}", column.table));
            let project = column
                .project
                .as_deref()
                .map_or_else(|| "NULL".to_owned(), identifier);
            let sql = format!(
                "SELECT {project}::text, {}::text, {}::text, {}::text FROM {} WHERE {}",
                identifier(&column.name),
                identifier(&column.iv),
                identifier(&column.salt),
                qualified(schema, &column.table),
                has_value(&column.name)
            );
            let mut rows = self
                .query_raw(&sql, std::iter::empty::<&dyn ToSql>())
                .map_err(doing())?;
            while let Some(row) = rows.next().map_err(doing())? {
                take(encrypted_row(&row))?;
            }
        }
        Ok(())
    }
}

/// The condition that a row has a value in `column`. attr_encrypted does not encrypt an empty text.
fn has_value(column: &str) -> String {
    format!("COALESCE({}::text, '') <> ''", identifier(column))
}

fn encrypted_row(row: &Row) -> EncryptedRow {
    let bytes = |place| row.get::<_, Option<String>>(place).map(String::into_bytes);
    EncryptedRow {
        project: row.get::<_, Option<&str>>(0).and_then(|id| id.parse().ok()),
        encrypted: Encrypted {
            value: bytes(1).unwrap_or_default(),
            iv: bytes(2),
            salt: bytes(3),
        },
    }
}

/// The encrypted columns of CI's tables in `schema`: only of tables, and of the server's own types, so that a query runs
/// no code of others.
fn columns(client: &mut Client, schema: &str) -> Result<Vec<EncryptedColumn>> {
    let sql = "SELECT c.relname::text, a.attname::text
               FROM pg_attribute a
               JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p')
                 AND a.attnum > 0 AND NOT a.attisdropped
                 AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype,
                                    'int2'::regtype, 'int4'::regtype, 'int8'::regtype)
               ORDER BY c.relname, a.attnum";
    let rows = client
        .query(sql, &[&schema, &TABLES.as_slice()])
        .map_err(failure("look for encrypted columns"))?;
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        tables.entry(row.get(0)).or_default().push(row.get(1));
    }
    let found = tables
        .iter()
        .flat_map(|(table, columns)| encrypted_columns(table, columns.iter().map(String::as_str)));
    Ok(found.collect())
}
