//! Which archive or dump is live.

use postgres::Client;

use super::examine::tables_of;
use crate::error::Result;
use crate::publish::outcome::LiveInput;
use crate::publish::record::Record;

/// The archive or dump of the last publish, if its record says which it is, and all its tables are there.
pub fn live_input(client: &mut Client) -> Result<Option<LiveInput>> {
    let Some(record) = Record::read(client)? else {
        return Ok(None);
    };
    if !record.can_be_undone() {
        return Ok(None);
    }
    for (schemas, of_schema) in record.parts() {
        let there = tables_of(client, schemas.live)?;
        let mut published = of_schema.published.iter();
        if !published.all(|name| there.contains(name)) {
            return Ok(None);
        }
    }
    let builds = record.builds.map(|builds| builds.path);
    Ok(record.input.map(|input| LiveInput { input, builds }))
}
