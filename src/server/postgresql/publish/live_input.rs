//! Which archive or dump is live.

use postgres::Client;

use super::examine::tables_of;
use super::part::PREVIOUS_SCHEMA;
use crate::error::Result;
use crate::publish::outcome::LiveInput;
use crate::publish::record::Record;
use crate::server::postgresql::error::failure;

/// The archive or dump of the last publish, if its record says which it is, and all its tables are there.
pub fn live_input(client: &mut Client) -> Result<Option<LiveInput>> {
    let Some(record) = Record::read(client)? else {
        return Ok(None);
    };
    if !is_ours(client)? {
        return Ok(None);
    }
    for (schemas, of_schema) in record.parts() {
        let there = tables_of(client, schemas.live)?;
        let mut published = of_schema.published.iter();
        if !published.all(|name| there.contains(name)) {
            return Ok(None);
        }
    }
    Ok(record.live_input())
}

/// The prefix with the live traces, if they are in an object storage. Whoever only reads may not own the record.
pub fn live_prefix(client: &mut Client) -> Result<Option<String>> {
    let sql = "SELECT COALESCE(pg_catalog.obj_description(oid, 'pg_namespace'), '')
               FROM pg_catalog.pg_namespace WHERE nspname = $1";
    let found = client
        .query_opt(sql, &[&PREVIOUS_SCHEMA])
        .map_err(failure("look where the live traces are"))?;
    let record = found.map(|row| Record::parse(row.get(0))).transpose()?;
    Ok(record.and_then(|record| record.prefixes.live))
}

/// All prefixes that the record knows.
pub fn known_prefixes(client: &mut Client) -> Result<Vec<String>> {
    let record = Record::read(client)?.unwrap_or_default();
    Ok(record.prefixes.all().cloned().collect())
}

/// Whether a record, in the comment on its schema, only says which prefix is live.
#[must_use]
pub fn is_at_rest(comment: &str) -> bool {
    Record::parse(comment).is_ok_and(|record| record.is_at_rest())
}

/// Whether the record is one of the user's own or of a superuser: a stranger's could have an import left out.
fn is_ours(client: &mut Client) -> Result<bool> {
    let row = client
        .query_opt(
            "SELECT r.rolsuper OR r.rolname = current_user FROM pg_catalog.pg_namespace n
             JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner WHERE n.nspname = $1",
            &[&PREVIOUS_SCHEMA],
        )
        .map_err(failure("look whose the record of the last import is"))?;
    Ok(row.is_some_and(|row| row.get(0)))
}
