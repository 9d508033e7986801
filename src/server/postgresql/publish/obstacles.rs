//! What would make an import fail later, after everything is loaded: found before anything is changed.

use postgres::Client;

use super::citus;
use crate::error::{Error, Result};
use crate::gitlab::live::SETTINGS;
use crate::gitlab::tags::{TAGGINGS, TAGS};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::message::message;
use crate::server::postgresql::migrate::versions;

/// The rights that the steps of a publish need on GitLab's own tables.
const NEEDED: [(&str, &[&str]); 4] = [
    (SETTINGS, &["SELECT", "UPDATE"]),
    (TAGS, &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    (TAGGINGS, &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    (versions::TABLE, &["SELECT", "INSERT", "DELETE"]),
];

/// Schemas that exist only in a transaction that is rolled back.
const TRIAL: [&str; 2] = ["ci_import_trial_1", "ci_import_trial_2"];

/// Refuses a target that cannot be written to, or that does not allow what an import does.
pub(super) fn refuse(client: &mut Client) -> Result<()> {
    refuse_read_only(client)?;
    citus::refuse_worker(client)?;
    refuse_encoding(client)?;
    refuse_publications(client)?;
    try_definitions(client)
}

fn refuse_read_only(client: &mut Client) -> Result<()> {
    let row = client
        .query_one(
            "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on'",
            &[],
        )
        .map_err(failure("ask whether the target is read-only"))?;
    if row.get(0) {
        return Err(Error::target(
            "the target is a standby, which only repeats what its primary does",
        )
        .hint("name the primary"));
    }
    if row.get(1) {
        return Err(Error::target(
            "the target is read-only: default_transaction_read_only is on for the database or the user",
        )
        .hint("ALTER DATABASE … SET default_transaction_read_only = off, or the same of the user"));
    }
    Ok(())
}

fn refuse_encoding(client: &mut Client) -> Result<()> {
    let sql = "SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()";
    let row = client
        .query_one(sql, &[])
        .map_err(failure("ask for the encoding of the database"))?;
    let encoding: String = row.get(0);
    if ["UTF8", "SQL_ASCII"].contains(&encoding.as_str()) {
        return Ok(());
    }
    Err(Error::target(format!(
        "the database has the encoding {encoding}, which cannot hold every text"
    ))
    .hint("import into a database in UTF-8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"))
}

/// Refuses publications that the staging would belong to: their subscribers would get rows of tables that they do not have.
fn refuse_publications(client: &mut Client) -> Result<()> {
    let sql = "SELECT pubname::text FROM pg_publication WHERE puballtables ORDER BY 1";
    let rows = client
        .query(sql, &[])
        .map_err(failure("look for publications"))?;
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let publications = names.join(", ");
    Err(Error::target(format!(
        "the publication {publications} is of all tables, so its subscribers would get the staging, too"
    ))
    .hint("drop it before the import; create it again after it, and refresh the subscriptions"))
}

/// Refuses publications of all tables in `schema`: the imported tables would join them unseen.
pub(super) fn refuse_publications_of(client: &mut Client, schema: &str) -> Result<()> {
    // PostgreSQL 15 has them.
    let doing = || failure("look for publications");
    let has_them = client
        .query_one(
            "SELECT to_regclass('pg_catalog.pg_publication_namespace') IS NOT NULL",
            &[],
        )
        .map_err(doing())?;
    if !has_them.get::<_, bool>(0) {
        return Ok(());
    }
    let sql = "SELECT p.pubname::text FROM pg_publication_namespace pn
               JOIN pg_publication p ON p.oid = pn.pnpubid JOIN pg_namespace n ON n.oid = pn.pnnspid
               WHERE n.nspname = $1 ORDER BY 1";
    let rows = client.query(sql, &[&schema]).map_err(doing())?;
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let publications = names.join(", ");
    Err(Error::target(format!(
        "the publication {publications} is of all tables in {schema}: its subscribers would not get the imported rows, and then \
         changes of rows that they do not have"
    ))
    .hint("drop it before the import; create it again after it, and refresh the subscriptions"))
}

/// Tries what an import does with definitions: an event trigger may forbid it.
fn try_definitions(client: &mut Client) -> Result<()> {
    let [one, two] = TRIAL;
    let doing = |cause: postgres::Error| match cause.as_db_error() {
        Some(refused) => Error::target(format!(
            "the target refuses what an import does with tables: {}",
            message(refused).shown
        ))
        .hint("look for an event trigger that forbids it, and for the rights of the user"),
        None => failure("make and move a table for a trial")(cause),
    };
    let mut transaction = client.transaction().map_err(doing)?;
    transaction
        .batch_execute(&format!(
            "CREATE SCHEMA {one}; CREATE SCHEMA {two};
             CREATE TABLE {one}.t (id serial PRIMARY KEY, a text);
             CREATE INDEX t_a ON {one}.t (a); ALTER TABLE {one}.t ALTER COLUMN a SET NOT NULL;
             ALTER TABLE {one}.t SET SCHEMA {two}; COMMENT ON TABLE {two}.t IS 'trial';
             DROP TABLE {two}.t; DROP SCHEMA {one}; DROP SCHEMA {two}"
        ))
        .map_err(doing)?;
    transaction.rollback().map_err(doing)
}

/// Refuses a user who lacks rights on GitLab's own tables in `schema`, which a publish changes.
pub(super) fn refuse_missing_rights(client: &mut Client, schema: &str) -> Result<()> {
    let sql = "SELECT COALESCE(string_agg(p, ', ' ORDER BY n), '')
               FROM unnest($3::text[]) WITH ORDINALITY AS wanted (p, n), pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
               WHERE s.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p') AND NOT has_table_privilege(c.oid, p)";
    for (table, rights) in NEEDED {
        let row = client
            .query_one(sql, &[&schema, &table, &rights])
            .map_err(failure("look for the rights on GitLab's tables"))?;
        let missing: String = row.get(0);
        if !missing.is_empty() {
            return Err(Error::target(format!(
                "the user lacks rights on {schema}.{table}, which the import changes: {missing}"
            ))
            .hint("connect as its owner, which is GitLab's user, or as a superuser"));
        }
    }
    Ok(())
}
