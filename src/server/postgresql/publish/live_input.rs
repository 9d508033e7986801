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
