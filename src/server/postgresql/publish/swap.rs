//! Replaces the live data with the staged data.

use postgres::{Client, Transaction};

use super::comments;
use super::commit::rename_and_commit;
use super::lock::begin;
use super::lock::lock_live;
use super::previous::{self, PREVIOUS_SCHEMA};
use super::relations::{drop_empty, move_aside, move_in, rights};
use crate::error::Result;
use crate::failpoint;
use crate::publish::directories::plan_publish;
use crate::publish::outcome::{Publication, Published};
use crate::publish::record::Record;
use crate::schema::sql::identifier;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::load::STAGING_SCHEMA;
use crate::server::postgresql::options::ConnectionOptions;
use crate::traces::BuildsDirectory;

/// A step in the publish's transaction. It gets the name of the live schema.
pub type Step<'a, T> = &'a mut dyn FnMut(&mut Transaction<'_>, &str) -> Result<T>;

/// Publishes: all of it, or nothing. `before` runs when the live tables are locked, `finish` when the staged
/// tables are in place, both in the same transaction. They keep the rows that they change in
/// [`PREVIOUS_SCHEMA`].
pub fn publish<T>(
    target: &ConnectionOptions,
    client: &mut Client,
    publication: &Publication<'_>,
    before: Step<'_, ()>,
    finish: Step<'_, T>,
) -> Result<Published<T>> {
    let schema = publication.schema;
    let mut transaction = begin(client)?;
    let replaced = lock_live(&mut transaction, schema, publication.tables)?;
    failpoint::reached("live tables locked");
    make_schema(&mut transaction, schema)?;
    let builds = publication.builds.map(|(builds, _)| builds);
    let directories = plan_publish(publication.builds);
    if !replaced.is_empty() || builds.is_some() {
        let record = Record {
            schema: schema.to_owned(),
            published: publication.tables.iter().map(ToString::to_string).collect(),
            replaced: replaced.clone(),
            builds: directories.record.clone(),
            older_builds: drop_older(&mut transaction, builds)?,
        };
        previous::make(&mut transaction, &record)?;
        failpoint::reached("publish on record");
        before(&mut transaction, schema)?;
        failpoint::reached("CI disabled");
        let rights = rights(&mut transaction, schema, &replaced, STAGING_SCHEMA)?;
        let comments: Vec<comments::Comments> = replaced
            .iter()
            .map(|name| comments::read(&mut transaction, schema, name))
            .collect::<Result<_>>()?;
        move_aside(
            &mut transaction,
            schema,
            &replaced,
            STAGING_SCHEMA,
            PREVIOUS_SCHEMA,
        )?;
        move_in(&mut transaction, STAGING_SCHEMA, publication.tables, schema)?;
        for rights in rights {
            rights.give(&mut transaction)?;
            failpoint::reached("rights given");
        }
        for comments in comments {
            comments.give(&mut transaction, schema)?;
        }
    } else {
        before(&mut transaction, schema)?;
        move_in(&mut transaction, STAGING_SCHEMA, publication.tables, schema)?;
    }
    drop_empty(&mut transaction, STAGING_SCHEMA)?;
    failpoint::reached("empty schema dropped");
    let finished = finish(&mut transaction, schema)?;
    failpoint::reached("steps done");
    let previous_builds = directories.previous();
    rename_and_commit(transaction, target, directories.renames)?;
    Ok(Published {
        replaced,
        previous_builds,
        finished,
    })
}

fn make_schema(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    let doing = || failure(format!("create the schema {schema}"));
    let exists = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)";
    let row = transaction.query_one(exists, &[&schema]).map_err(doing())?;
    if row.get(0) {
        return Ok(());
    }
    transaction
        .batch_execute(&format!("CREATE SCHEMA {}", identifier(schema)))
        .map_err(doing())
}

/// Drops the tables that the previous publish has replaced, if they still exist. Its builds directories
/// beside `builds` stay. Returns their epochs.
fn drop_older(
    transaction: &mut Transaction<'_>,
    builds: Option<&BuildsDirectory>,
) -> Result<Vec<u64>> {
    let Some(older) = Record::read(transaction)? else {
        return Ok(Vec::new());
    };
    previous::drop_contents(transaction, PREVIOUS_SCHEMA, true)?;
    Ok(older.epochs_at(builds))
}
