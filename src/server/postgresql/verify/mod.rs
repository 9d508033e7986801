//! Reads tables of a PostgreSQL server, to compare them with the expected ones.

mod read_back;

use postgres::error::SqlState;
use postgres::{Client, IsolationLevel, Transaction};

use super::error::failure;
use super::options::ConnectionOptions;
use crate::error::Result;
use crate::rows::{Digest, Layout};
use crate::schema::sql::{identifier, literal, qualified};
use crate::verify::{Numbering, ReadTables};
use read_back::read_back;

/// A snapshot that several sessions can share (PostgreSQL manual, 9.27.5, "Snapshot Synchronization
/// Functions"). It lasts as long as the transaction that took it.
pub struct Snapshot<'a> {
    transaction: Transaction<'a>,
    name: String,
}

impl<'a> Snapshot<'a> {
    /// Takes a snapshot now, in a session of [`ConnectionOptions::connect_to_read`].
    pub fn take(client: &'a mut Client) -> Result<Snapshot<'a>> {
        let doing = || failure("read a snapshot of the target");
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start();
        let mut transaction = transaction.map_err(doing())?;
        let row = transaction.query_one("SELECT pg_export_snapshot()", &[]);
        Ok(Snapshot {
            name: row.map_err(doing())?.get(0),
            transaction,
        })
    }

    /// The transaction of the snapshot.
    pub fn transaction(&mut self) -> &mut Transaction<'a> {
        &mut self.transaction
    }

    /// The identifier of the snapshot for other sessions.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A session that reads tables.
pub struct TableReader(Client);

impl TableReader {
    /// Connects with `snapshot`, or with a snapshot of its own if that is `None`.
    pub fn connect(target: &ConnectionOptions, snapshot: Option<&str>) -> Result<TableReader> {
        let mut client = target.connect_to_read()?;
        let mut begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned();
        if let Some(name) = snapshot {
            begin += &format!("; SET TRANSACTION SNAPSHOT {}", literal(name));
        }
        client
            .batch_execute(&begin)
            .map_err(failure("read a snapshot of the target"))?;
        Ok(TableReader(client))
    }

    /// Runs a query in a savepoint, so that the transaction survives a failure.
    fn attempt<T, E>(
        &mut self,
        look: impl FnOnce(&mut Client) -> std::result::Result<T, E>,
    ) -> Result<std::result::Result<T, E>> {
        let doing = || failure("look at a table");
        self.0.batch_execute("SAVEPOINT look").map_err(doing())?;
        let found = look(&mut self.0);
        let end = if found.is_ok() {
            "RELEASE look"
        } else {
            "ROLLBACK TO look"
        };
        let ended = self.0.batch_execute(end);
        // If the session is lost, the first error says why.
        if found.is_ok() {
            ended.map_err(doing())?;
        }
        Ok(found)
    }
}

impl ReadTables for TableReader {
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
        self.attempt(|client| read_back(client, schema, table, layout))?
    }

    /// An error if the column does not own its sequence.
    fn numbering(&mut self, schema: &str, table: &str, column: &str) -> Result<Numbering> {
        let doing = || failure(format!("look at the sequence of {table}"));
        let owned = self.attempt(|client| {
            let sql = "SELECT pg_get_serial_sequence($1, $2)";
            client.query_one(sql, &[&qualified(schema, table), &column])
        })?;
        let owned: Option<String> = match owned {
            Ok(row) => row.get(0),
            Err(cause) if cause.code() == Some(&SqlState::UNDEFINED_COLUMN) => {
                return Ok(Numbering::Broken(format!("has no column {column}")));
            }
            Err(cause) => return Err(doing()(cause)),
        };
        let Some(owned) = owned else {
            let why = format!("its column {column} owns no sequence");
            return Ok(Numbering::Broken(why));
        };
        // The name of the sequence is already quoted.
        let sql = format!(
            "SELECT last_value, is_called,
                    (SELECT LEAST(COALESCE(max({}), 0)::numeric, {})::bigint FROM {}) FROM {owned}",
            identifier(column),
            i64::MAX,
            qualified(schema, table)
        );
        let row = self.0.query_one(&sql, &[]).map_err(doing())?;
        let (last, is_given): (i64, bool) = (row.get(0), row.get(1));
        Ok(match last.checked_add(is_given.into()) {
            Some(next) => Numbering::From {
                next,
                largest: row.get(2),
                by: "sequence",
            },
            None => Numbering::UsedUp,
        })
    }

    fn is_in_snapshot(&mut self, _: &str, _: &str) -> Result<bool> {
        Ok(true)
    }
}
