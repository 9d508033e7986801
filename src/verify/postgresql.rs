//! Looks at tables of a PostgreSQL, to compare them with what they should be.

use postgres::Client;
use postgres::error::SqlState;

use super::tables::{Looks, Numbering};
use crate::error::Result;
use crate::load::{Target, failure, read_back};
use crate::rows::{Digest, Layout};
use crate::schema::ddl::{identifier, qualified};

/// A session that reads tables.
pub struct Looker(Client);

impl Looker {
    /// Connects.
    pub fn connect(target: &Target) -> Result<Looker> {
        target.connect_to_read().map(Looker)
    }
}

impl Looks for Looker {
    fn exists(&mut self, schema: &str, table: &str) -> Result<bool> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                            WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r')";
        let row = self
            .0
            .query_one(sql, &[&schema, &table])
            .map_err(failure(format!("look for {table}")))?;
        Ok(row.get(0))
    }

    fn count(&mut self, schema: &str, table: &str) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {}", qualified(schema, table));
        let row = self
            .0
            .query_one(&sql, &[])
            .map_err(failure(format!("count the rows of {table}")))?;
        Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
    }

    fn read_back(&mut self, schema: &str, table: &str, layout: &Layout) -> Result<Digest> {
        read_back(&mut self.0, schema, table, layout)
    }

    /// The sequence must be owned by its column.
    fn numbering(&mut self, schema: &str, table: &str, column: &str) -> Result<Numbering> {
        let doing = || failure(format!("look at the sequence of {table}"));
        let owned = self.0.query_one(
            "SELECT pg_get_serial_sequence($1, $2)",
            &[&qualified(schema, table), &column],
        );
        let owned: Option<String> = match owned {
            Ok(row) => row.get(0),
            Err(cause) if cause.code() == Some(&SqlState::UNDEFINED_COLUMN) => {
                return Ok(Numbering::Broken(format!("has no column {column}")));
            }
            Err(cause) => return Err(doing()(cause)),
        };
        let Some(owned) = owned else {
            let why = format!("no sequence is owned by its column {column}");
            return Ok(Numbering::Broken(why));
        };
        // It comes quoted where that is needed.
        let sql = format!(
            "SELECT (last_value + is_called::int)::bigint,
                    (SELECT COALESCE(max({}), 0)::bigint FROM {}) FROM {owned}",
            identifier(column),
            qualified(schema, table)
        );
        let row = self.0.query_one(&sql, &[]).map_err(doing())?;
        Ok(Numbering::From {
            next: row.get(0),
            largest: row.get(1),
            by: "sequence",
        })
    }
}
