//! Restores what a publish has replaced. The data of the publish is kept aside, so that the rollback can be
//! undone in the same way.

use postgres::{Client, Transaction};

use super::commit::{number, rename_and_commit};
use super::examine::refuse_dependents;
use super::lock::begin;
use super::lock::lock_live;
use super::previous::{self, PREVIOUS_SCHEMA};
use super::relations::{drop_empty, move_aside, move_in, relations};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::publish::directories::plan_rollback;
use crate::publish::outcome::RolledBack;
use crate::publish::record::Record;
use crate::schema::sql::identifier;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::options::ConnectionOptions;
use crate::traces::BuildsDirectory;

/// The schema of the returning tables until the live tables are moved aside.
const RETURNING_SCHEMA: &str = "ci_import_returning";

/// Exchanges the rows that a publish has changed in tables it did not replace. Arguments: the transaction,
/// the schema of the live tables, the schema with the kept rows, and the schema for the rows to keep now.
pub type Exchange<'a> = &'a mut dyn FnMut(&mut Transaction<'_>, &str, &str, &str) -> Result<()>;

/// The tables that a rollback would restore, and those that it would move aside. None if there is no publish
/// to undo.
pub fn previous_import(client: &mut Client) -> Result<Option<(Vec<String>, Vec<String>)>> {
    let record = Record::read(client)?.filter(Record::can_be_undone);
    Ok(record.map(|record| (record.replaced, record.published)))
}

/// Undoes the last publish: all of it, or nothing.
pub fn rollback(
    target: &ConnectionOptions,
    client: &mut Client,
    builds: Option<&BuildsDirectory>,
    exchange: Exchange<'_>,
) -> Result<RolledBack> {
    let record = Record::read(client)?
        .filter(Record::can_be_undone)
        .ok_or_else(|| {
            Error::usage("there is nothing to roll back: no import has replaced anything here")
        })?;
    let builds = record.builds(builds)?;
    let directories = plan_rollback(&record, builds)?;
    let names: Vec<&str> = record.published.iter().map(String::as_str).collect();
    refuse_dependents(client, &record.schema, &names)?;
    let mut transaction = begin(client)?;
    let schema = &record.schema;
    let going = lock_live(&mut transaction, schema, &names)?;
    failpoint::reached("live tables locked");
    let sql = format!(
        "ALTER SCHEMA {} RENAME TO {}",
        identifier(PREVIOUS_SCHEMA),
        identifier(RETURNING_SCHEMA)
    );
    transaction
        .batch_execute(&sql)
        .map_err(failure("rename the schema of the old tables"))?;
    failpoint::reached("schema of the old tables renamed");
    let reverse = Record {
        schema: schema.clone(),
        published: record.replaced.clone(),
        replaced: going.clone(),
        builds: directories.record.clone(),
        older_builds: record.older_builds.clone(),
    };
    previous::make(&mut transaction, &reverse)?;
    // The schema also has the old tables that a dump has replaced. They are restored as a whole.
    let kept_rows = relations(&mut transaction, RETURNING_SCHEMA, "r")?
        .iter()
        .any(|table| !record.replaced.contains(table));
    if kept_rows {
        exchange(&mut transaction, schema, RETURNING_SCHEMA, PREVIOUS_SCHEMA)?;
    }
    failpoint::reached("rows exchanged");
    move_aside(
        &mut transaction,
        schema,
        &going,
        RETURNING_SCHEMA,
        PREVIOUS_SCHEMA,
    )?;
    let returning: Vec<&str> = record.replaced.iter().map(String::as_str).collect();
    move_in(&mut transaction, RETURNING_SCHEMA, &returning, schema)?;
    // Only the exchanged rows are left.
    previous::drop_contents(&mut transaction, RETURNING_SCHEMA, false)?;
    drop_empty(&mut transaction, RETURNING_SCHEMA)?;
    failpoint::reached("empty schema dropped");
    let done = RolledBack {
        schema: schema.clone(),
        restored: record.replaced.clone(),
        aside: going,
        previous: PREVIOUS_SCHEMA.to_owned(),
        builds: directories.live(),
        builds_aside: directories.previous(),
    };
    let id = number(&mut transaction, target, directories.renames.is_some())?;
    rename_and_commit(transaction, target, id, directories.renames)?;
    Ok(done)
}
