//! Looks at what is live before anything is done: what would be replaced, what stands in the way.

use postgres::Client;

use crate::error::{Error, Result};
use crate::load::failure;
use crate::schema::ddl::qualified;

/// What is live in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The schema where the tables are or will be.
    pub schema: String,
    /// Which of them exist and have rows.
    pub with_rows: Vec<String>,
    /// Whether an earlier import has left its replaced tables in the schema for them.
    pub has_previous: bool,
}

/// Examines the target before tables named `tables` are published there. An error names what
/// depends on them and would be left pointing at the old ones.
pub fn examine(client: &mut Client, tables: &[&str]) -> Result<Live> {
    let doing = || failure("examine the target");
    let schema: Option<String> = client
        .query_one("SELECT current_schema()::text", &[])
        .map_err(doing())?
        .get(0);
    let schema = schema.ok_or_else(|| {
        Error::target("the target has no current schema").hint("check the search_path of its user")
    })?;
    let rights = client
        .query_one(
            "SELECT has_schema_privilege($1, 'CREATE'),
                    has_database_privilege(current_database(), 'CREATE')",
            &[&schema],
        )
        .map_err(doing())?;
    if !rights.get::<_, bool>(0) || !rights.get::<_, bool>(1) {
        return Err(Error::target(format!(
            "the user may not create schemas in the database and tables in the schema {schema}"
        ))
        .hint("connect as the owner of the database, or as a superuser"));
    }
    let rows = client
        .query(
            "SELECT c.relname::text, c.relkind::text, pg_has_role(c.relowner, 'USAGE')
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = ANY($2) ORDER BY 1",
            &[&schema, &tables],
        )
        .map_err(doing())?;
    let mut with_rows = Vec::new();
    for row in rows {
        let (name, kind, ours): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
        if kind != "r" {
            return Err(Error::target(format!(
                "{schema}.{name} exists, but is no ordinary table"
            )));
        }
        if !ours {
            return Err(
                Error::target(format!("the user does not own the table {schema}.{name}"))
                    .hint("connect as its owner, or as a superuser"),
            );
        }
        let any = format!(
            "SELECT EXISTS (SELECT 1 FROM {})",
            qualified(&schema, &name)
        );
        if client.query_one(&any, &[]).map_err(doing())?.get(0) {
            with_rows.push(name);
        }
    }
    refuse_dependents(client, &schema, tables)?;
    let has_previous = client
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)",
            &[&super::PREVIOUS_SCHEMA],
        )
        .map_err(doing())?
        .get(0);
    Ok(Live {
        schema,
        with_rows,
        has_previous,
    })
}

/// Views, foreign keys and triggers that would stay with the old tables.
fn refuse_dependents(client: &mut Client, schema: &str, tables: &[&str]) -> Result<()> {
    let sql = "
        WITH live AS (
          SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind = 'r')
        SELECT DISTINCT 'the view ' || v.oid::regclass::text
          FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
          WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid IN (SELECT oid FROM live) AND v.oid <> d.refobjid
        UNION
        SELECT 'the foreign key ' || quote_ident(conname) || ' of ' || conrelid::regclass::text
          FROM pg_constraint WHERE contype = 'f' AND confrelid IN (SELECT oid FROM live)
            AND conrelid NOT IN (SELECT oid FROM live)
        UNION
        SELECT 'the trigger ' || quote_ident(tgname) || ' of ' || tgrelid::regclass::text
          FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM live)
        UNION
        SELECT 'the inheriting table ' || inhrelid::regclass::text
          FROM pg_inherits WHERE inhparent IN (SELECT oid FROM live)
        ORDER BY 1";
    let rows = client
        .query(sql, &[&schema, &tables])
        .map_err(failure("look for what depends on the tables"))?;
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Err(Error::target(format!(
        "the tables to be replaced have dependents that would be left behind: {}",
        names.join(", ")
    ))
    .hint("drop them before the import and make them again after it"))
}
