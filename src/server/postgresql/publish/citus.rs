//! Tables that Citus distributes over other servers.
//!
//! Citus moves such a table to another schema on all nodes, in the transaction of the publish, so it is set aside and brought
//! back as any other. What an import loads are ordinary tables of the coordinator. See the manual of Citus, "Citus Tables and
//! Views": `pg_dist_partition` has the tables, `pg_dist_schema` the distributed schemas, `pg_dist_local_group` the node.

use std::collections::HashSet;

use postgres::{Client, GenericClient};

use crate::error::{Error, Result};
use crate::gitlab::live::WRITTEN;
use crate::publish::irreplaceable::Irreplaceable;
use crate::server::postgresql::error::failure;

/// Whether the database has the catalog `name`. A user can make no tables in that schema.
fn has_catalog(client: &mut impl GenericClient, name: &str) -> Result<bool> {
    let row = client
        .query_one(
            "SELECT to_regclass('pg_catalog.' || $1::text) IS NOT NULL",
            &[&name],
        )
        .map_err(failure("look for Citus"))?;
    Ok(row.get(0))
}

/// Refuses a worker: tables that are made there are not those of the cluster.
pub(super) fn refuse_worker(client: &mut Client) -> Result<()> {
    if !has_catalog(client, "pg_dist_local_group")? {
        return Ok(());
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_dist_local_group WHERE groupid <> 0)";
    let row = client
        .query_one(sql, &[])
        .map_err(failure("ask which node of a Citus cluster it is"))?;
    if !row.get::<_, bool>(0) {
        return Ok(());
    }
    Err(Error::target("the target is a worker of a Citus cluster").hint("name the coordinator"))
}

/// Refuses a `schema` whose tables Citus distributes: the imported ones would be copied to another node in the publish, while
/// the live tables are locked.
pub(super) fn refuse_schema(client: &mut Client, schema: &str) -> Result<()> {
    if !has_catalog(client, "pg_dist_schema")? {
        return Ok(());
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_dist_schema d JOIN pg_namespace n ON n.oid = d.schemaid
               WHERE n.nspname = $1)";
    let row = client
        .query_one(sql, &[&schema])
        .map_err(failure("look for distributed schemas"))?;
    if !row.get::<_, bool>(0) {
        return Ok(());
    }
    Err(Error::target(format!(
        "Citus distributes the schema {schema}: it would copy the imported tables to another node while they are locked"
    ))
    .hint("import into another schema, or call citus_schema_undistribute before"))
}

/// Refuses GitLab's own tables in `schema` if Citus distributes them: a publish changes rows of theirs. Those that it `replaces`
/// are others by then.
pub(super) fn refuse_written(client: &mut Client, schema: &str, replaces: &[&str]) -> Result<()> {
    let mut found = distributed(client, schema, &WRITTEN)?;
    found.retain(|name| !replaces.contains(&name.as_str()));
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::target(format!(
        "Citus distributes tables of GitLab whose rows the import changes: {}",
        found.join(", ")
    ))
    .hint("make them ordinary tables before, with undistribute_table"))
}

/// Refuses live tables of `schema` that are `distributed`.
pub(super) fn refuse_distributed(schema: &str, distributed: &[String]) -> Result<()> {
    if distributed.is_empty() {
        return Ok(());
    }
    let tables = distributed.iter().map(|name| format!("{schema}.{name}"));
    let tables: Vec<String> = tables.collect();
    Err(Irreplaceable::distributed(&tables).refused())
}

/// Which of `tables` in `schema` Citus distributes, see [`all_distributed`].
pub(super) fn distributed<T>(
    client: &mut impl GenericClient,
    schema: &str,
    tables: &[T],
) -> Result<Vec<String>>
where
    T: AsRef<str>,
{
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let tables: HashSet<&str> = tables.iter().map(AsRef::as_ref).collect();
    let all = all_distributed(client)?.into_iter();
    let found = all.filter(|(of, name)| of == schema && tables.contains(name.as_str()));
    Ok(found.map(|(_, name)| name).collect())
}

/// The tables that Citus distributes, keeps a copy of on each node, or has made known to all nodes: the schema and name of each,
/// in their order.
pub(super) fn all_distributed(client: &mut impl GenericClient) -> Result<Vec<(String, String)>> {
    if !has_catalog(client, "pg_dist_partition")? {
        return Ok(Vec::new());
    }
    let sql = "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_dist_partition d
               JOIN pg_class c ON c.oid = d.logicalrelid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2";
    let rows = client
        .query(sql, &[])
        .map_err(failure("look for tables that Citus distributes"))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
