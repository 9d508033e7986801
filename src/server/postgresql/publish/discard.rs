//! Removes what a publish has moved aside.

use postgres::{Client, Transaction};

use super::lock::begin;
use super::part::PREVIOUS_SCHEMA;
use super::previous;
use super::relations::relations;
use crate::error::Result;
use crate::failpoint;
use crate::publish::outcome::{Aside, Discarded};
use crate::publish::record::Record;
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;
use crate::traces::Builds;

/// Where traces are that [`discard`] would remove; none if there is nothing to remove at all.
pub fn traces_aside(client: &mut Client, builds: Option<&Builds>) -> Result<Option<Vec<String>>> {
    let Some(record) = Record::read(client)?.filter(|record| !record.is_at_rest()) else {
        return Ok(None);
    };
    Ok(Some(record.traces_aside(builds)?.shown()))
}

/// Drops the replaced tables, and removes the replaced traces. An interrupted discard can be
/// repeated: the record lists what is still to be removed.
pub fn discard(client: &mut Client, builds: Option<&Builds>) -> Result<Discarded> {
    let Some(record) = Record::read(client)? else {
        return Ok(Discarded::default());
    };
    // A wrong place for the traces is found before anything is dropped.
    let traces = record.traces_aside(builds)?;
    // From here on, a rollback is no longer possible.
    let mut transaction = begin(client)?;
    previous::drop_all(&mut transaction, &record, false)?;
    record.without_tables().write(&mut transaction)?;
    failpoint::reached("old tables to be dropped");
    transaction
        .commit()
        .map_err(failure("drop the tables of the previous import"))?;
    failpoint::reached("old tables dropped");
    traces.remove()?;
    let mut transaction = begin(client)?;
    let rest = &traces.rest;
    previous::drop_contents(&mut transaction, PREVIOUS_SCHEMA, rest.is_none())?;
    if let Some(rest) = rest {
        rest.write(&mut transaction)?;
    }
    transaction
        .commit()
        .map_err(failure("drop the schema of the old tables"))?;
    failpoint::reached("schema of the old tables dropped");
    Ok(Discarded {
        tables: record.shown_replaced(),
        previous: record.shown_previous(),
        traces: traces.shown(),
        kept: None,
    })
}

/// Examines the tables that a publish has moved aside; none if there are no such tables any more.
pub fn look_aside(transaction: &mut Transaction<'_>) -> Result<Option<Aside>> {
    let schema = PREVIOUS_SCHEMA;
    let Some(record) = Record::read(transaction)?.filter(Record::can_be_undone) else {
        return Ok(None);
    };
    let (mut replaced, mut kept, mut tables) = (Vec::new(), Vec::new(), Vec::new());
    for (schemas, of_schema) in record.parts() {
        let previous = schemas.previous();
        for name in relations(transaction, &previous, "r")? {
            let table = qualified(&previous, &name);
            let any = format!("SELECT EXISTS (SELECT 1 FROM {table})");
            tables.push(table);
            let row = transaction
                .query_one(&any, &[])
                .map_err(failure("look at the tables of the previous import"))?;
            if !row.get::<_, bool>(0) {
                continue;
            }
            let is_replaced = of_schema.replaced.contains(&name);
            let with_rows = if is_replaced {
                &mut replaced
            } else {
                &mut kept
            };
            with_rows.push(schemas.shown(&name));
        }
    }
    let has_builds = record.has_builds_aside();
    let mut statements = Vec::new();
    for beside in previous::schemas_beside(&record) {
        statements.extend(previous::drop_statements(transaction, &beside, true)?);
    }
    let stays = has_builds || record.at_rest().is_some();
    statements.extend(previous::drop_statements(transaction, schema, !stays)?);
    match record.at_rest() {
        Some(rest) if !has_builds => statements.push(rest.statement()),
        _ if has_builds => statements.push(record.without_tables().statement()),
        _ => {}
    }
    Ok(Some(Aside {
        replaced,
        kept,
        lock: (!tables.is_empty())
            .then(|| format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "))),
        statements,
        has_builds,
    }))
}
