//! Code of others that would run with our rights: triggers, rules and functions of the tables that we write to.
//!
//! The owner of a table decides what happens when somebody writes to it. A role that is set for the statement would not
//! help: the code could set it back. So a table is refused if writing to it runs code of somebody who is neither the user
//! nor a superuser.

use postgres::GenericClient;

use super::error::failure;
use crate::error::{Error, Result};
use crate::schema::sql::qualified;

/// What of the table with the OID `$1` runs, or may run, code of others.
const FOREIGN: &str = "
WITH trusted AS (SELECT oid FROM pg_roles WHERE rolsuper OR rolname = current_user),
     parts (classid, objid, what) AS (
       SELECT 'pg_attrdef'::regclass::oid, oid, 'a default' FROM pg_attrdef WHERE adrelid = $1
       UNION ALL
       SELECT 'pg_constraint'::regclass::oid, oid, 'the constraint ' || conname::text
       FROM pg_constraint WHERE conrelid = $1
       UNION ALL
       SELECT 'pg_class'::regclass::oid, indexrelid, 'the index ' || c.relname::text
       FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = $1)
SELECT 'it is no table' FROM pg_class WHERE oid = $1 AND relkind NOT IN ('r', 'p')
UNION ALL
SELECT 'the trigger ' || tgname::text FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid
WHERE tgrelid = $1 AND NOT tgisinternal AND p.proowner NOT IN (SELECT oid FROM trusted)
UNION ALL
SELECT 'the rule ' || rulename::text FROM pg_rewrite WHERE ev_class = $1
UNION ALL
SELECT 'the inheriting table ' || c.relname::text FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
WHERE inhparent = $1 AND c.relowner NOT IN (SELECT oid FROM trusted)
UNION ALL
SELECT 'the type of the column ' || attname::text FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND t.typnamespace <> 'pg_catalog'::regnamespace
  AND t.typowner NOT IN (SELECT oid FROM trusted)
UNION ALL
SELECT parts.what || ', which calls ' || p.proname::text
FROM parts JOIN pg_depend d ON d.classid = parts.classid AND d.objid = parts.objid
JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
WHERE p.proowner NOT IN (SELECT oid FROM trusted)
UNION ALL
SELECT parts.what || ', which uses the operator ' || o.oprname::text
FROM parts JOIN pg_depend d ON d.classid = parts.classid AND d.objid = parts.objid
JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
WHERE o.oprowner NOT IN (SELECT oid FROM trusted)
UNION ALL
SELECT 'the foreign key ' || conname::text || ' of ' || c.relname::text
FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
WHERE confrelid = $1 AND contype = 'f' AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
  AND c.relowner NOT IN (SELECT oid FROM trusted)
ORDER BY 1 LIMIT 1";

/// Refuses `tables` of `schema` if writing to them runs code of others. Tables that do not exist are passed over.
pub(crate) fn refuse(client: &mut impl GenericClient, schema: &str, tables: &[&str]) -> Result<()> {
    let doing = || failure("look for triggers and functions of others");
    let sql = "SELECT c.oid, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 2";
    for row in client.query(sql, &[&schema, &tables]).map_err(doing())? {
        let (table, name): (u32, String) = (row.get(0), row.get(1));
        let found = client.query_opt(FOREIGN, &[&table]).map_err(doing())?;
        if let Some(found) = found {
            let what: String = found.get(0);
            return Err(Error::target(format!(
                "{schema}.{name} would run code of another user with your rights: {what}"
            ))
            .hint("drop it for the time of the import, or connect as its owner"));
        }
    }
    Ok(())
}

/// The same, and nobody can add such code until the end of the transaction. Readers are not kept out.
pub(crate) fn lock_and_refuse(
    client: &mut impl GenericClient,
    schema: &str,
    tables: &[&str],
) -> Result<()> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind IN ('r', 'p') ORDER BY 1";
    let doing = || failure("lock the tables that are written to");
    let rows = client.query(sql, &[&schema, &tables]).map_err(doing())?;
    if !rows.is_empty() {
        let names = rows.iter().map(|row| qualified(schema, row.get(0)));
        let names = names.collect::<Vec<_>>().join(", ");
        client
            .batch_execute(&format!("LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
            .map_err(doing())?;
    }
    refuse(client, schema, tables)
}
