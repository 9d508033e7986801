//! Moves tables with their sequences, types and triggers between schemas.

use std::collections::HashSet;

use postgres::Transaction;

use super::grants;
use crate::error::Result;
use crate::failpoint;
use crate::schema::sql::{identifier, qualified};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::update_triggers::{IS_OURS, ours};

/// The rights on the tables `replaced` of `schema`, and on its sequences that have the same names as those in
/// the schema `from`.
pub(super) fn rights(
    transaction: &mut Transaction<'_>,
    schema: &str,
    replaced: &[String],
    from: &str,
) -> Result<Vec<grants::Rights>> {
    let sequences = relations(transaction, from, "S")?;
    let names = replaced.iter().chain(&sequences);
    names
        .map(|name| grants::read(transaction, schema, name))
        .collect()
}

/// Moves `tables` from `schema` to the schema `to`, with their triggers, and with the types and sequences whose names the
/// schema `from` has, too.
pub(super) fn move_aside(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[String],
    from: &str,
    to: &str,
) -> Result<()> {
    let functions = functions_of(transaction, schema, tables)?;
    for table in tables {
        set_schema(transaction, "TABLE", (schema, table), to)?;
    }
    move_functions(transaction, (schema, functions), to)?;
    let live_types = enum_types(transaction, schema)?;
    let coming_types = enum_types(transaction, from)?;
    for name in coming_types.iter().filter(|name| live_types.contains(name)) {
        set_schema(transaction, "TYPE", (schema, name), to)?;
    }
    // A sequence without an owning column does not move with its table. Every database from the old converter
    // has such sequences.
    let coming = relations(transaction, from, "S")?;
    for name in unowned_sequences(transaction, schema)? {
        if coming.contains(&name) {
            set_schema(transaction, "SEQUENCE", (schema, &name), to)?;
        }
    }
    failpoint::reached("old tables aside");
    Ok(())
}

/// Moves the types of enums that only columns of `tables` have, from `schema` to the schema `to`.
pub(super) fn move_types_of(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[String],
    to: &str,
) -> Result<()> {
    let sql = "SELECT DISTINCT t.typname::text FROM pg_attribute a
               JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_type t ON t.oid = a.atttypid AND t.typnamespace = n.oid
               WHERE n.nspname = $1 AND c.relname = ANY($2) AND t.typtype = 'e'
                 AND NOT EXISTS (
                   SELECT 1 FROM pg_attribute other JOIN pg_class o ON o.oid = other.attrelid
                   WHERE other.atttypid IN (t.oid, t.typarray)
                     AND NOT (o.relnamespace = n.oid AND o.relname = ANY($2)))
               ORDER BY 1";
    for name in names(transaction, sql, &[&schema, &tables])? {
        set_schema(transaction, "TYPE", (schema, &name), to)?;
    }
    Ok(())
}

/// Moves `tables`, and all sequences, types and functions of triggers, from the schema `from` to `schema`.
pub(super) fn move_in(
    transaction: &mut Transaction<'_>,
    from: &str,
    tables: &[&str],
    schema: &str,
) -> Result<()> {
    for table in tables {
        set_schema(transaction, "TABLE", (from, table), schema)?;
    }
    for name in unowned_sequences(transaction, from)? {
        set_schema(transaction, "SEQUENCE", (from, &name), schema)?;
    }
    for name in enum_types(transaction, from)? {
        set_schema(transaction, "TYPE", (from, &name), schema)?;
    }
    let functions = functions(transaction, from)?;
    move_functions(transaction, (from, functions), schema)?;
    failpoint::reached("new tables in place");
    Ok(())
}

/// Moves `functions` of triggers from their schema to the schema `to`. If a function there has the name, it gets another
/// one: only its trigger, which finds it all the same, has the name that is reported.
fn move_functions(
    transaction: &mut Transaction<'_>,
    (from, functions): (&str, Vec<String>),
    to: &str,
) -> Result<()> {
    if functions.is_empty() {
        return Ok(());
    }
    let sql = "SELECT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
               WHERE n.nspname = $1 AND p.pronargs = 0";
    let [here, mut taken]: [HashSet<String>; 2] = [
        names(transaction, sql, &[&to])?.into_iter().collect(),
        names(transaction, sql, &[&from])?.into_iter().collect(),
    ];
    taken.extend(here.iter().cloned());
    let mut free = (1_u64..)
        .map(|number| format!("ci_import_on_update_{number}"))
        .filter(|name| !taken.contains(name));
    for mut name in functions {
        if here.contains(&name)
            && let Some(other) = free.next()
        {
            let sql = format!(
                "ALTER FUNCTION {}() RENAME TO {}",
                qualified(from, &name),
                identifier(&other)
            );
            transaction
                .batch_execute(&sql)
                .map_err(failure(format!("rename the function {from}.{name}")))?;
            name = other;
        }
        set_schema(transaction, "FUNCTION", (from, &name), to)?;
    }
    Ok(())
}

/// Creates `schema`, unless it exists.
pub(super) fn make_schema(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    let doing = || failure(format!("create the schema {schema}"));
    let exists = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)";
    let row = transaction.query_one(exists, &[&schema]).map_err(doing())?;
    if row.get(0) {
        return Ok(());
    }
    transaction
        .batch_execute(&format!("CREATE SCHEMA {}", identifier(schema)))
        .map_err(doing())
}

/// Drops `schema`, which must be empty.
pub(super) fn drop_empty(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    transaction
        .batch_execute(&format!("DROP SCHEMA {}", identifier(schema)))
        .map_err(failure(format!("drop the empty schema {schema}")))
}

/// Moves `name`, a table, type, sequence or function as `kind` says, from its schema to the schema `to`.
fn set_schema(
    transaction: &mut Transaction<'_>,
    kind: &str,
    (from, name): (&str, &str),
    to: &str,
) -> Result<()> {
    let arguments = if kind == "FUNCTION" { "()" } else { "" };
    let sql = format!(
        "ALTER {kind} {}{arguments} SET SCHEMA {}",
        qualified(from, name),
        identifier(to)
    );
    transaction
        .batch_execute(&sql)
        .map_err(failure(format!("move {from}.{name} to the schema {to}")))?;
    failpoint::reached("relation moved");
    Ok(())
}

/// The relations of `schema` whose kind is `kind`, a letter of `pg_class.relkind`.
pub(super) fn relations(
    transaction: &mut Transaction<'_>,
    schema: &str,
    kind: &str,
) -> Result<Vec<String>> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relkind::text = $2 ORDER BY 1";
    names(transaction, sql, &[&schema, &kind])
}

/// The sequences of `schema` that no column owns.
pub(super) fn unowned_sequences(
    transaction: &mut Transaction<'_>,
    schema: &str,
) -> Result<Vec<String>> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relkind = 'S'
                 AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid
                                 AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
               ORDER BY 1";
    names(transaction, sql, &[&schema])
}

/// The types of enums in `schema`.
pub(super) fn enum_types(transaction: &mut Transaction<'_>, schema: &str) -> Result<Vec<String>> {
    let sql = "SELECT t.typname::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
               WHERE n.nspname = $1 AND t.typtype = 'e' ORDER BY 1";
    names(transaction, sql, &[&schema])
}

/// The functions of triggers of an import in `schema`.
pub(super) fn functions(transaction: &mut Transaction<'_>, schema: &str) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname = $1 AND {IS_OURS} ORDER BY 1"
    );
    names(transaction, &sql, &[&schema])
}

/// Those of `tables` in `schema`.
fn functions_of(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[String],
) -> Result<Vec<String>> {
    let of_tables = ours("p.proname::text");
    let sql = format!("{of_tables} AND n.nspname = $1 AND c.relname = ANY($2) ORDER BY 1");
    names(transaction, &sql, &[&schema, &tables])
}

/// Gives the functions of triggers the owner of their tables, of those in `schema`.
pub(super) fn give_functions(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tables: &[&str],
) -> Result<()> {
    let doing = || failure("copy the owners of the tables to their triggers");
    let of_others = ours("p.proname::text, r.rolname::text").replacen(
        "WHERE",
        "JOIN pg_roles r ON r.oid = c.relowner AND r.oid <> p.proowner WHERE",
        1,
    );
    let sql = format!("{of_others} AND n.nspname = $1 AND c.relname = ANY($2) ORDER BY 1");
    let rows = transaction
        .query(&sql, &[&schema, &tables])
        .map_err(doing())?;
    for row in rows {
        let (name, owner): (String, String) = (row.get(0), row.get(1));
        let sql = format!(
            "ALTER FUNCTION {}() OWNER TO {}",
            qualified(schema, &name),
            identifier(&owner)
        );
        transaction.batch_execute(&sql).map_err(doing())?;
    }
    Ok(())
}

fn names(
    transaction: &mut Transaction<'_>,
    sql: &str,
    parameters: &[&(dyn postgres::types::ToSql + Sync)],
) -> Result<Vec<String>> {
    let rows = transaction
        .query(sql, parameters)
        .map_err(failure("list the contents of a schema"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
