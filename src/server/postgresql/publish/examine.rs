//! Examines the live data before anything is changed: what would be replaced, and what prevents that.

use postgres::Client;

use super::citus;
use super::irreplaceable::refuse_dependents;
use super::obstacles;
use super::part::PREVIOUS_SCHEMA;
use super::previous;
use crate::error::{Error, Result};
use crate::gitlab::live::WRITTEN;
use crate::gitlab::migrations::list::CI_TAG_TABLES;
use crate::publish::irreplaceable::Irreplaceable;
use crate::publish::outcome::Live;
use crate::publish::record::Record;
use crate::schema::sql::{identifier, qualified};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::foreign_code;
use crate::server::postgresql::load::schemas_beside;

/// Examines the target before tables named `tables` are published in `schema`. An error names dependents that
/// would still refer to the old tables, and tables that Citus distributes, unless it may `undistribute` them.
pub fn examine(
    client: &mut Client,
    schema: &str,
    tables: &[&str],
    undistribute: bool,
) -> Result<Live> {
    let doing = || failure("examine the target");
    obstacles::refuse(client)?;
    obstacles::refuse_publications_of(client, schema)?;
    citus::refuse_schema(client, schema)?;
    if tables.contains(&CI_TAG_TABLES[0]) {
        obstacles::refuse_missing_rights(client, schema)?;
        foreign_code::refuse(client, schema, &WRITTEN)?;
        citus::refuse_written(client, schema, tables)?;
    }
    let rights = client
        .query_one(
            "SELECT COALESCE((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace
                              WHERE nspname = $1), true),
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
            return Err(Irreplaceable::no_ordinary_table(schema, &name).refused());
        }
        if !ours {
            return Err(Irreplaceable::of_another_owner(schema, &name).refused());
        }
        let any = format!("SELECT EXISTS (SELECT 1 FROM {})", qualified(schema, &name));
        if client.query_one(&any, &[]).map_err(doing())?.get(0) {
            with_rows.push(name);
        }
    }
    refuse_dependents(client, schema, tables)?;
    let has_previous = examine_previous(client)?;
    if !undistribute {
        let distributed = citus::distributed(client, schema, tables)?;
        citus::refuse_distributed(schema, &distributed)?;
    }
    Ok(Live {
        schema: schema.to_owned(),
        with_rows,
        has_previous,
    })
}

/// Whether there is a schema with the tables of the previous import. An error if the publish could not drop
/// it.
fn examine_previous(client: &mut Client) -> Result<bool> {
    let schema = PREVIOUS_SCHEMA;
    let Some(record) = Record::read(client)? else {
        return Ok(false);
    };
    let ours: bool = client
        .query_one(
            "SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = $1",
            &[&schema],
        )
        .map_err(failure("look for the tables of the previous import"))?
        .get(0);
    if !ours {
        return Err(
            Error::target(format!("the user does not own the schema {schema}"))
                .hint("connect as its owner, or as a superuser"),
        );
    }
    let beside = previous::schemas_beside(&record);
    for schema in std::iter::once(schema.to_owned()).chain(beside) {
        let tables = tables_of(client, &schema)?;
        let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
        refuse_dependents(client, &schema, &tables)?;
    }
    Ok(!record.is_at_rest())
}

/// Some of the sessions that hold locks on any of `tables` now, each with a table. Of its statement, which has values, only
/// the first word.
pub fn holders(client: &mut Client, schema: &str, tables: &[&str]) -> Result<Vec<String>> {
    let sql =
        "SELECT format('process %s of %s (%s), since %s: %s', l.pid, a.usename, min(c.relname),
                      to_char(min(a.xact_start) AT TIME ZONE 'UTC', 'HH24:MI:SS \"UTC\"'),
                      coalesce(upper(substring(min(a.query) FROM '^[[:space:]]*([[:alpha:]]{1,20})')), 'something'))
               FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                    JOIN pg_namespace n ON n.oid = c.relnamespace
                    JOIN pg_stat_activity a ON a.pid = l.pid
               WHERE n.nspname = $1 AND c.relname = ANY($2) AND l.pid <> pg_backend_pid()
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               GROUP BY l.pid, a.usename ORDER BY 1 LIMIT 5";
    let rows = client
        .query(sql, &[&schema, &tables])
        .map_err(failure("look for locks on the tables"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The tables that are in `schema`.
pub fn tables_of(client: &mut Client, schema: &str) -> Result<Vec<String>> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
    let rows = client
        .query(sql, &[&schema])
        .map_err(failure("list the tables of the target"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// An error if a schema exists that a publish of several schemas needs, and that no record knows.
fn refuse_strange(client: &mut Client) -> Result<()> {
    let known = Record::read(client)?.map(|record| previous::schemas_beside(&record));
    let sql = "SELECT n.nspname::text FROM pg_namespace n
               WHERE n.nspname ~ '^ci_import_(previous|returning|staging)[.]' AND n.nspname <> ALL($1)
                 AND NOT (n.nspname ~ '^ci_import_staging[.]' AND n.nspname = ANY($2)) ORDER BY 1 LIMIT 1";
    let doing = || failure("look for schemas of imports");
    let staging = schemas_beside(client).map_err(doing())?;
    let known = known.unwrap_or_default();
    let strange = client
        .query_opt(sql, &[&known, &staging])
        .map_err(doing())?;
    let Some(strange) = strange else {
        return Ok(());
    };
    let name: String = strange.get(0);
    Err(Error::target(format!(
        "the target has a schema {name} that no record of an import of this user knows"
    ))
    .hint(format!(
        "an import into several schemas needs such names: rename it, or drop it if nobody needs it: DROP SCHEMA {} CASCADE",
        identifier(&name)
    )))
}

/// All tables, with their schemas but those of the server itself. An error if something prevents a publish in several
/// schemas.
pub fn all_tables(client: &mut Client) -> Result<Vec<(String, String)>> {
    obstacles::refuse(client)?;
    refuse_strange(client)?;
    let sql = "SELECT n.nspname::text, c.relname::text
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_'";
    let rows = client
        .query(sql, &[])
        .map_err(failure("list the tables of the target"))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
