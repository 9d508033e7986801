//! Carries over what an admin has set on a replaced table, or says what is not carried over: options, replica identity, row
//! security, what is set on its columns, its order, indexes, statistics, tablespace, labels.

use postgres::Transaction;

use crate::error::Result;
use crate::schema::sql::{identifier, qualified};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::message::message;
use crate::server::postgresql::update_triggers::ours;

/// The first version in which a column has a method of compression.
const COMPRESSION: i32 = 140_000;

/// What was set on a replaced table.
pub(super) struct TableSettings {
    table: String,
    statements: Vec<String>,
    indexes: Vec<String>,
    told: Vec<String>,
}

/// Reads what is set on the tables `names` in `schema`.
pub(super) fn read_all(
    transaction: &mut Transaction<'_>,
    schema: &str,
    names: &[String],
) -> Result<Vec<TableSettings>> {
    let version = transaction
        .query_one("SELECT current_setting('server_version_num')::int", &[])
        .map_err(failure("ask for the server's version"))?;
    let compression = if version.get::<_, i32>(0) < COMPRESSION {
        "NULL"
    } else {
        "CASE a.attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END"
    };
    let names = names.iter();
    names
        .map(|name| read(transaction, schema, name, compression))
        .collect()
}

/// Reads what is set on the table `name` in `schema`. `compression` is the expression for that of a column.
fn read(
    transaction: &mut Transaction<'_>,
    schema: &str,
    name: &str,
    compression: &str,
) -> Result<TableSettings> {
    let doing = || failure(format!("read the settings of the table {name}"));
    let table = qualified(schema, name);
    let row = transaction
        .query_one(
            "SELECT COALESCE(array_to_string(ARRAY(
                      SELECT quote_ident(o.option_name) || ' = ' || quote_literal(o.option_value)
                      FROM pg_options_to_table(c.reloptions) o), ', '), ''),
                    c.relreplident::text, c.relrowsecurity, c.relforcerowsecurity
             FROM pg_class c WHERE c.oid = to_regclass($1)",
            &[&table],
        )
        .map_err(doing())?;
    let (options, identity): (String, String) = (row.get(0), row.get(1));
    let (mut statements, mut told) = (Vec::new(), Vec::new());
    if !options.is_empty() {
        statements.push(format!("ALTER TABLE {table} SET ({options})"));
    }
    match identity.as_str() {
        "f" => statements.push(format!("ALTER TABLE {table} REPLICA IDENTITY FULL")),
        "n" => statements.push(format!("ALTER TABLE {table} REPLICA IDENTITY NOTHING")),
        "i" => told.push("its replica identity was an index; now it is the primary key".to_owned()),
        _ => {}
    }
    if row.get(2) {
        statements.push(format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"));
    }
    if row.get(3) {
        statements.push(format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"));
    }
    statements.extend(of_columns(transaction, &table, compression)?);
    statements.extend(trigger_states(transaction, &table)?);
    Ok(TableSettings {
        table: name.to_owned(),
        statements,
        indexes: indexes(transaction, &table)?,
        told,
    })
}

/// The statements that set on columns what is set on those of `table`: the target of statistics, options, how long values are
/// stored and compressed. PostgreSQL's own counter among the options (`pg_attver`, since November 2026) is none of the admin's.
fn of_columns(
    transaction: &mut Transaction<'_>,
    table: &str,
    compression: &str,
) -> Result<Vec<String>> {
    // No row of the catalog is converted as a whole: it has values of the owner's types, whose casts are the owner's code.
    let sql = format!("
        SELECT quote_ident(a.attname), s.setting
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
             CROSS JOIN LATERAL (VALUES
               (CASE WHEN a.attstattarget >= 0 THEN 'STATISTICS ' || a.attstattarget END),
               ((SELECT '(' || string_agg(quote_ident(o.option_name) || ' = ' || quote_literal(o.option_value), ', ') || ')'
                 FROM pg_options_to_table(a.attoptions) o WHERE o.option_name <> 'pg_attver')),
               (CASE WHEN a.attstorage <> t.typstorage
                     THEN 'STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                                                          WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
               ({compression})
             ) s (setting)
        WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND s.setting IS NOT NULL
        ORDER BY a.attnum, s.setting");
    let rows = transaction.query(&sql, &[&table]).map_err(failure(
        "read the settings of the columns of the live tables",
    ))?;
    let statements = rows.iter().map(|row| {
        let (column, setting): (String, String) = (row.get(0), row.get(1));
        format!("ALTER TABLE {table} ALTER COLUMN {column} SET {setting}")
    });
    Ok(statements.collect())
}

/// What the tables `names` in `schema` have that is not carried over: each table, and a text for the report.
pub(super) fn not_carried_over(
    transaction: &mut Transaction<'_>,
    schema: &str,
    names: &[impl AsRef<str>],
) -> Result<Vec<(String, String)>> {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let sql = "
        WITH t AS (SELECT c.oid, c.relname, c.reltablespace, c.relpersistence FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = $1 AND c.relname = ANY($2))
        SELECT t.relname::text, 'it was in the tablespace ' || spcname::text
          FROM t JOIN pg_tablespace s ON s.oid = t.reltablespace
        UNION ALL
        SELECT relname::text, 'it was unlogged' FROM t WHERE relpersistence = 'u'
        UNION ALL
        SELECT t.relname::text, 'its rows were ordered by the index ' || c.relname::text || ' (CLUSTER)'
          FROM t JOIN pg_index ON indrelid = t.oid AND indisclustered JOIN pg_class c ON c.oid = indexrelid
        UNION ALL
        SELECT relname::text, 'it had the statistics ' || stxname::text FROM t JOIN pg_statistic_ext ON stxrelid = t.oid
        UNION ALL
        SELECT DISTINCT relname::text, 'it had security labels of ' || provider
          FROM t JOIN pg_seclabel ON classoid = 'pg_class'::regclass AND objoid = t.oid
        ORDER BY 1, 2";
    let rows = transaction
        .query(sql, &[&schema, &names])
        .map_err(failure("read what else the live tables have"))?;
    let told = rows.iter().map(|row| {
        let what: String = row.get(1);
        (row.get(0), format!("{what}, which was not carried over"))
    });
    Ok(told.collect())
}

/// The statements that disable the triggers of an import as they are disabled on `table`.
fn trigger_states(transaction: &mut Transaction<'_>, table: &str) -> Result<Vec<String>> {
    let triggers = ours("t.tgname::text, t.tgenabled::text");
    let sql = format!("{triggers} AND c.oid = to_regclass($1) AND t.tgenabled <> 'O'");
    let rows = transaction
        .query(&sql, &[&table])
        .map_err(failure("list the triggers of the live tables"))?;
    let states = rows.iter().map(|row| {
        let (name, state): (String, String) = (row.get(0), row.get(1));
        let state = match state.as_str() {
            "A" => "ENABLE ALWAYS",
            "R" => "ENABLE REPLICA",
            _ => "DISABLE",
        };
        format!("ALTER TABLE {table} {state} TRIGGER {}", identifier(&name))
    });
    Ok(states.collect())
}

/// The definitions of the indexes of `table`.
fn indexes(transaction: &mut Transaction<'_>, table: &str) -> Result<Vec<String>> {
    let sql = "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
               WHERE i.indrelid = to_regclass($1) AND NOT i.indisprimary ORDER BY 1";
    let rows = transaction
        .query(sql, &[&table])
        .map_err(failure("list the indexes of the live tables"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

impl TableSettings {
    /// Sets the same on the table that has the name in `schema` now. Returns its name with each thing that it does not have
    /// any more.
    pub(super) fn give(
        self,
        transaction: &mut Transaction<'_>,
        schema: &str,
    ) -> Result<Vec<(String, String)>> {
        let mut told = self.told;
        for sql in &self.statements {
            // A column may be another one now.
            let mut attempt = transaction
                .transaction()
                .map_err(failure("set what the replaced table had"))?;
            match attempt.batch_execute(sql) {
                Ok(()) => attempt
                    .commit()
                    .map_err(failure("set what the replaced table had"))?,
                Err(cause) if cause.as_db_error().is_some() => {
                    let said = cause.as_db_error().map(message);
                    let why = said.map(|said| said.shown).unwrap_or_default();
                    let what = sql
                        .split_once(" ALTER COLUMN ")
                        .map_or("a setting", |_| "a setting of a column");
                    told.push(format!(
                        "{what} of the replaced table could not be set: {why}"
                    ));
                }
                Err(cause) => return Err(failure("set what the replaced table had")(cause)),
            }
        }
        let now = indexes(transaction, &qualified(schema, &self.table))?;
        let lost = self.indexes.into_iter().filter(|name| !now.contains(name));
        told.extend(lost.map(|name| {
            format!("the replaced table had an index {name}, which the archive does not have")
        }));
        let table = self.table;
        Ok(told.into_iter().map(|told| (table.clone(), told)).collect())
    }
}
