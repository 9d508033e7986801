//! Sequences that no column owns. The old way of converting leaves them behind: pg_dump of a table omits
//! such a sequence, and the restored table has no default. GitLab's manual gives three statements for each
//! table. These are the same three, where they are needed.

use postgres::Transaction;

use crate::error::Result;
use crate::gitlab::tables::TABLES;
use crate::migrate::MigrationPlan;
use crate::schema::sql::{identifier, literal, qualified};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::gitlab::ci_tables::lock_existing;
use crate::server::postgresql::migrate::BuiltIn;

/// Makes the column `id` of each table own its sequence. A missing sequence is created; one that would return
/// used numbers is set.
pub(super) const OWN: BuiltIn = BuiltIn { lock, plan };

/// What a table's sequence lacks.
struct Needs {
    table: &'static str,
    /// The column's type.
    kind: String,
    sequence: bool,
    ownership: bool,
    value: bool,
}

fn lock(transaction: &mut Transaction<'_>, schema: &str) -> Result<Vec<String>> {
    let tables: Vec<&str> = all_needs(transaction, schema)?
        .iter()
        .map(|n| n.table)
        .collect();
    lock_existing(transaction, schema, &tables)
}

fn plan(transaction: &mut Transaction<'_>, schema: &str) -> Result<MigrationPlan> {
    let needs = all_needs(transaction, schema)?;
    let statements = needs.iter().flat_map(|needs| needs.statements(schema));
    let made = needs.iter().filter(|needs| needs.sequence).count();
    let owned = needs.iter().filter(|needs| needs.ownership).count();
    let set = needs.iter().filter(|needs| needs.value).count();
    Ok(MigrationPlan::Run {
        statements: statements.collect(),
        told: format!("{owned} sequences have an owner now; {made} were created, {set} set"),
    })
}

fn all_needs(transaction: &mut Transaction<'_>, schema: &str) -> Result<Vec<Needs>> {
    let mut all = Vec::new();
    for table in TABLES {
        all.extend(needs(transaction, schema, table)?);
    }
    Ok(all)
}

/// The name of a table's sequence, as Rails and GitLab's manual name it.
fn sequence_of(table: &str) -> String {
    format!("{table}_id_seq")
}

/// What the sequence of `table` lacks; none if it lacks nothing, or if there is no such table with an `id`.
fn needs(
    transaction: &mut Transaction<'_>,
    schema: &str,
    table: &'static str,
) -> Result<Option<Needs>> {
    let doing = || failure(format!("look at the sequence of {table}"));
    // A column with another sequence of its own, or an identity, lacks nothing.
    let sql = "
        SELECT pg_catalog.format_type(a.atttypid, NULL), s.oid IS NOT NULL,
               EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                       WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = s.oid
                         AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype = 'a')
               AND EXISTS (SELECT 1 FROM pg_catalog.pg_attrdef f JOIN pg_catalog.pg_depend d
                             ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid
                           WHERE f.adrelid = c.oid AND f.adnum = a.attnum AND d.refobjid = s.oid)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id' AND NOT a.attisdropped
        LEFT JOIN pg_catalog.pg_class s
          ON s.relnamespace = n.oid AND s.relname = $3 AND s.relkind = 'S'
        WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r' AND a.attidentity = ''
          AND pg_catalog.format_type(a.atttypid, NULL) IN ('smallint', 'integer', 'bigint')
          AND (s.oid IS NOT NULL OR pg_catalog.pg_get_serial_sequence($4, 'id') IS NULL)";
    let name = sequence_of(table);
    let row = transaction
        .query_opt(sql, &[&schema, &table, &name, &qualified(schema, table)])
        .map_err(doing())?;
    let Some(row) = row else { return Ok(None) };
    let (has_sequence, is_owned): (bool, bool) = (row.get(1), row.get(2));
    let sql = if has_sequence {
        let (sequence, table) = (qualified(schema, &name), qualified(schema, table));
        format!(
            "SELECT last_value + is_called::int <= (SELECT COALESCE(max(id), 0) FROM {table}) FROM {sequence}"
        )
    } else {
        let table = qualified(schema, table);
        format!("SELECT EXISTS (SELECT 1 FROM {table})")
    };
    let value = transaction.query_one(&sql, &[]).map_err(doing())?.get(0);
    let needs = Needs {
        table,
        kind: row.get(0),
        sequence: !has_sequence,
        ownership: !is_owned,
        value,
    };
    Ok((needs.ownership || needs.value).then_some(needs))
}

impl Needs {
    fn statements(&self, schema: &str) -> Vec<String> {
        let table = qualified(schema, self.table);
        let sequence = qualified(schema, &sequence_of(self.table));
        let (id, kind) = (identifier("id"), &self.kind);
        let value = literal(&sequence);
        let mut statements = Vec::new();
        if self.sequence {
            statements.push(format!("CREATE SEQUENCE {sequence} AS {kind}"));
        }
        if self.ownership {
            statements.push(format!(
                "ALTER TABLE {table} ALTER COLUMN {id} DROP DEFAULT"
            ));
            statements.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{id}"));
            statements.push(format!(
                "ALTER TABLE {table} ALTER COLUMN {id} SET DEFAULT nextval({value}::regclass)"
            ));
        }
        if self.value {
            statements.push(format!(
                "SELECT setval({value}::regclass, max({id})) FROM {table} HAVING max({id}) > 0"
            ));
        }
        statements
    }
}
