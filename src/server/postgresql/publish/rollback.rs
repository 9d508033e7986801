//! Restores what a publish has replaced. The data of the publish is kept aside, so that the rollback can be
//! undone in the same way.

use postgres::{Client, Transaction};

use super::commit::{number, rename_and_commit};
use super::irreplaceable::refuse_dependents;
use super::lock::begin;
use super::lock::lock_live;
use super::part::{PREVIOUS_SCHEMA, RETURNING_SCHEMA};
use super::previous;
use super::relations::{drop_empty, make_schema, move_aside, move_in, move_types_of, relations};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::publish::directories::plan_rollback;
use crate::publish::outcome::RolledBack;
use crate::publish::prefixes::both;
use crate::publish::record::{BuildsRecord, Record, RecordOfSchema};
use crate::schema::sql::identifier;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::options::ConnectionOptions;
use crate::traces::Builds;

/// Exchanges the rows that a publish has changed in tables it did not replace. Arguments: the transaction,
/// the schema of the live tables, the schema with the kept rows, and the schema for the rows to keep now.
pub type Exchange<'a> = &'a mut dyn FnMut(&mut Transaction<'_>, &str, &str, &str) -> Result<()>;

/// The tables that a rollback would restore, and those that it would move aside. None if there is no publish
/// to undo.
pub fn previous_import(client: &mut Client) -> Result<Option<(Vec<String>, Vec<String>)>> {
    let record = Record::read(client)?.filter(Record::can_be_undone);
    Ok(record.map(|record| (record.shown_replaced(), record.shown_published())))
}

/// Undoes the last publish: all of it, or nothing.
pub fn rollback(
    target: &ConnectionOptions,
    client: &mut Client,
    builds: Option<&Builds>,
    exchange: Exchange<'_>,
) -> Result<RolledBack> {
    let record = Record::read(client)?
        .filter(Record::can_be_undone)
        .ok_or_else(|| {
            Error::usage("there is nothing to roll back: no import has replaced anything here")
        })?;
    record.prefixes.check_return(builds)?;
    let builds = record.builds(builds.and_then(Builds::directory))?;
    let directories = plan_rollback(&record, builds)?;
    let parts = record.parts();
    for (schemas, of_schema) in &parts {
        refuse_dependents(client, schemas.live, &names(&of_schema.published))?;
    }
    let mut transaction = begin(client)?;
    let mut going = Vec::new();
    for (schemas, of_schema) in &parts {
        let published = names(&of_schema.published);
        going.push(lock_live(&mut transaction, schemas.live, &published)?);
    }
    failpoint::reached("live tables locked");
    for (at, (schemas, of_schema)) in parts.iter().enumerate() {
        if at == 0 || !of_schema.replaced.is_empty() {
            rename_schema(&mut transaction, &schemas.previous(), &schemas.returning())?;
        }
    }
    failpoint::reached("schema of the old tables renamed");
    let reverse = reverse(&record, &going, directories.record.clone());
    previous::make(&mut transaction, &reverse)?;
    let schema = &record.schema;
    // The schema also has the old tables that a dump has replaced. They are restored as a whole.
    let kept_rows = relations(&mut transaction, RETURNING_SCHEMA, "r")?
        .iter()
        .any(|table| !record.replaced.contains(table));
    if kept_rows {
        exchange(&mut transaction, schema, RETURNING_SCHEMA, PREVIOUS_SCHEMA)?;
    }
    failpoint::reached("rows exchanged");
    for (at, ((schemas, of_schema), going)) in parts.iter().zip(&going).enumerate() {
        let (returning, previous) = (schemas.returning(), schemas.previous());
        let (live, is_there) = (schemas.live, at == 0 || !of_schema.replaced.is_empty());
        // The schema may have been dropped meanwhile.
        make_schema(&mut transaction, live)?;
        if !going.is_empty() {
            move_types_of(&mut transaction, live, going, &previous)?;
        }
        move_aside(&mut transaction, live, going, &returning, &previous)?;
        if is_there {
            let replaced = names(&of_schema.replaced);
            move_in(&mut transaction, &returning, &replaced, live)?;
            // Only the exchanged rows are left.
            previous::drop_contents(&mut transaction, &returning, false)?;
            drop_empty(&mut transaction, &returning)?;
        }
    }
    failpoint::reached("empty schema dropped");
    let done = RolledBack {
        schema: schemas_of(&record),
        restored: record.shown_replaced(),
        aside: reverse.shown_replaced(),
        previous: record.shown_previous(),
        builds: both(record.prefixes.replaced(), directories.live()),
        builds_aside: both(reverse.prefixes.replaced(), directories.previous()),
    };
    let id = number(&mut transaction, target, directories.renames.is_some())?;
    rename_and_commit(transaction, target, id, directories.renames)?;
    Ok(done)
}

/// The record of a rollback of `record`, in which the tables `going` of each schema were moved aside.
fn reverse(record: &Record, going: &[Vec<String>], builds: Option<BuildsRecord>) -> Record {
    let parts = record.parts().into_iter().zip(going);
    let mut reversed = parts.map(|((_, of_schema), going)| RecordOfSchema {
        schema: of_schema.schema,
        published: of_schema.replaced,
        replaced: going.clone(),
    });
    let first = reversed.next().unwrap_or_default();
    Record {
        schema: first.schema,
        published: first.published,
        replaced: first.replaced,
        builds,
        older_builds: record.older_builds.clone(),
        elsewhere: record.elsewhere.clone(),
        prefixes: record.prefixes.reversed(),
        // What is live again was there before, and nobody said what it is.
        input: None,
        others: reversed.collect(),
    }
}

/// The schemas of `record` that have tables, for messages.
fn schemas_of(record: &Record) -> String {
    let others = record.others.iter().map(|other| other.schema.as_str());
    let others: Vec<&str> = others.collect();
    if others.is_empty() {
        return record.schema.clone();
    }
    others.join(", ")
}

fn names(tables: &[String]) -> Vec<&str> {
    tables.iter().map(String::as_str).collect()
}

fn rename_schema(transaction: &mut Transaction<'_>, from: &str, to: &str) -> Result<()> {
    let sql = format!(
        "ALTER SCHEMA {} RENAME TO {}",
        identifier(from),
        identifier(to)
    );
    transaction
        .batch_execute(&sql)
        .map_err(failure("rename the schema of the old tables"))
}
