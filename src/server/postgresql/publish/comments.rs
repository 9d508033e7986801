//! Copies the comments of a replaced table to the new one, unless the new one has its own.

use postgres::Transaction;

use crate::error::Result;
use crate::schema::sql::{identifier, literal, qualified};
use crate::server::postgresql::error::failure;

/// The comments on a table and its columns. A comment without a column is on the table.
pub(super) struct Comments {
    table: String,
    comments: Vec<(Option<String>, String)>,
}

/// The comments on the table `name` in `schema`.
pub(super) fn read(
    transaction: &mut Transaction<'_>,
    schema: &str,
    name: &str,
) -> Result<Comments> {
    let sql = "SELECT a.attname::text, d.description
               FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
               JOIN pg_namespace n ON n.oid = c.relnamespace
               LEFT JOIN pg_attribute a
                 ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
               WHERE d.classoid = 'pg_class'::regclass AND n.nspname = $1 AND c.relname = $2
               ORDER BY d.objsubid";
    let rows = transaction
        .query(sql, &[&schema, &name])
        .map_err(failure(format!("read the comments of {name}")))?;
    Ok(Comments {
        table: name.to_owned(),
        comments: rows.iter().map(|row| (row.get(0), row.get(1))).collect(),
    })
}

impl Comments {
    /// Sets the comments on the table that has the name in `schema` now.
    pub(super) fn give(&self, transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
        if self.comments.is_empty() {
            return Ok(());
        }
        let doing = || failure(format!("copy the comments of {}", self.table));
        let theirs = read(transaction, schema, &self.table)?;
        let has_own = |column: &Option<String>| {
            let mut there = theirs.comments.iter();
            there.any(|(other, _)| other == column)
        };
        let sql = "SELECT a.attname::text FROM pg_attribute a
                   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";
        let table = qualified(schema, &self.table);
        let rows = transaction.query(sql, &[&table]).map_err(doing())?;
        let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        for (column, comment) in &self.comments {
            let on = match column {
                _ if has_own(column) => continue,
                None => format!("TABLE {table}"),
                Some(column) if columns.contains(column) => {
                    format!("COLUMN {table}.{}", identifier(column))
                }
                Some(_) => continue,
            };
            let sql = format!("COMMENT ON {on} IS {}", literal(comment));
            transaction.batch_execute(&sql).map_err(doing())?;
        }
        Ok(())
    }
}
