//! Live tables that cannot be replaced: something depends on them and would stay with the old ones (views, foreign keys, triggers
//! and others), they belong to somebody else, or they are none.

use std::collections::HashMap;

use postgres::Client;

use super::citus;
use crate::error::Result;
use crate::publish::irreplaceable::Irreplaceable;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::update_triggers::ours;

/// The query of what depends on tables, each with the table. What an import has made goes with its table.
fn dependents() -> String {
    format!(
        "SELECT d.refobjid AS of_table, 'the view ' || v.oid::regclass::text AS what
           FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
           WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND v.oid <> d.refobjid
         UNION
         SELECT tgrelid, 'the trigger ' || quote_ident(tgname) || ' of ' || tgrelid::regclass::text
           FROM pg_trigger WHERE NOT tgisinternal AND oid NOT IN ({})
         UNION
         SELECT polrelid, 'the policy ' || quote_ident(polname) || ' of ' || polrelid::regclass::text FROM pg_policy
         UNION
         SELECT ev_class, 'the rule ' || quote_ident(rulename) || ' of ' || ev_class::regclass::text FROM pg_rewrite
         UNION
         SELECT prrelid, 'the publication ' || quote_ident(pubname) || ' of ' || prrelid::regclass::text
           FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid
         UNION
         SELECT d.refobjid, 'the function ' || d.objid::regprocedure::text FROM pg_depend d
           WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass
         UNION
         SELECT inhparent, 'the inheriting table ' || inhrelid::regclass::text FROM pg_inherits",
        ours("t.oid")
    )
}

/// Refuses to replace tables named `tables` in `schema` if something would stay with the old ones.
pub(super) fn refuse_dependents(client: &mut Client, schema: &str, tables: &[&str]) -> Result<()> {
    let sql = format!(
        "
        WITH live AS (
          SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind = 'r')
        SELECT DISTINCT what FROM ({}) d WHERE of_table IN (SELECT oid FROM live)
        UNION
        SELECT 'the foreign key ' || quote_ident(conname) || ' of ' || conrelid::regclass::text
          FROM pg_constraint WHERE contype = 'f' AND confrelid IN (SELECT oid FROM live)
            AND conrelid NOT IN (SELECT oid FROM live)
        ORDER BY 1",
        dependents()
    );
    let rows = client
        .query(&sql, &[&schema, &tables])
        .map_err(failure("look for what depends on the tables"))?;
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Err(Irreplaceable::with_dependents(&names).refused())
}

/// The live tables that cannot be replaced, whichever others are: the schema and name of each, and why. Foreign keys are not
/// looked at: the table that has one may be replaced, too.
pub fn irreplaceable(
    client: &mut Client,
    undistribute: bool,
) -> Result<HashMap<(String, String), Irreplaceable>> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, array_agg(DISTINCT d.what ORDER BY d.what)
         FROM ({}) d JOIN pg_class c ON c.oid = d.of_table JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' GROUP BY 1, 2",
        dependents()
    );
    let rows = client
        .query(&sql, &[])
        .map_err(failure("look for what depends on the live tables"))?;
    let with_dependents = rows.iter().map(|row| {
        let names: Vec<String> = row.get(2);
        let table = (row.get(0), row.get(1));
        (table, Irreplaceable::with_dependents(&names))
    });
    let mut found: HashMap<_, _> = with_dependents.collect();
    if !undistribute {
        for (schema, name) in citus::all_distributed(client)? {
            let why = Irreplaceable::distributed(&[format!("{schema}.{name}")]);
            found.insert((schema, name), why);
        }
    }
    found.extend(not_ours(client)?);
    Ok(found)
}

/// What has the name of a table and is none, or belongs to somebody else.
fn not_ours(client: &mut Client) -> Result<HashMap<(String, String), Irreplaceable>> {
    let sql = "SELECT n.nspname::text, c.relname::text, c.relkind = 'r'
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname !~ '^pg_' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                 AND (c.relkind <> 'r' OR NOT pg_has_role(c.relowner, 'USAGE'))";
    let rows = client
        .query(sql, &[])
        .map_err(failure("look whose the live tables are"))?;
    let found = rows.iter().map(|row| {
        let (schema, name): (String, String) = (row.get(0), row.get(1));
        let why = if row.get(2) {
            Irreplaceable::of_another_owner(&schema, &name)
        } else {
            Irreplaceable::no_ordinary_table(&schema, &name)
        };
        ((schema, name), why)
    });
    Ok(found.collect())
}
