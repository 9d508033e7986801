//! Replaces the live data with the staged data.

use std::time::Instant;

use postgres::{Client, Transaction};

use super::comments;
use super::commit::{number, rename_and_commit};
use super::lock::{begin, live, lock_live, patiently};
use super::previous::{self, PREVIOUS_SCHEMA};
use super::relations::{drop_empty, give_functions, move_aside, move_in, rights};
use super::table_settings::{self, TableSettings};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::publish::directories::plan_publish;
use crate::publish::outcome::{Publication, Published};
use crate::publish::record::Record;
use crate::schema::sql::identifier;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::load::STAGING_SCHEMA;
use crate::server::postgresql::options::ConnectionOptions;
use crate::traces::BuildsDirectory;

/// The steps of a publish in its transaction, besides moving the tables. They keep the rows that they change in
/// [`PREVIOUS_SCHEMA`].
pub trait Steps {
    /// What the first step did.
    type Before;
    /// What all steps did.
    type Done;

    /// Other tables of the schema that the steps lock.
    fn locks(&self) -> &'static [&'static str];

    /// Runs while the old tables are live, and others can read them.
    fn before(&mut self, transaction: &mut Transaction<'_>, schema: &str) -> Result<Self::Before>;

    /// Runs when the staged tables are in place.
    fn finish(
        &mut self,
        transaction: &mut Transaction<'_>,
        schema: &str,
        before: Self::Before,
    ) -> Result<Self::Done>;
}

/// Publishes: all of it, or nothing. What takes time is done before the live tables are locked.
pub fn publish<S: Steps>(
    target: &ConnectionOptions,
    client: &mut Client,
    publication: &Publication<'_>,
    steps: &mut S,
) -> Result<Published<S::Done>> {
    let (schema, tables) = (publication.schema, publication.tables);
    let others = steps.locks();
    patiently(
        client,
        schema,
        (tables, others),
        publication.waiting,
        |client| publish_once(target, client, publication, steps),
    )
}

fn publish_once<S: Steps>(
    target: &ConnectionOptions,
    client: &mut Client,
    publication: &Publication<'_>,
    steps: &mut S,
) -> Result<Published<S::Done>> {
    let (schema, tables) = (publication.schema, publication.tables);
    let mut transaction = begin(client)?;
    let replaced = live(&mut transaction, schema, tables)?;
    make_schema(&mut transaction, schema)?;
    let builds = publication.builds.map(|(builds, _)| builds);
    let directories = plan_publish(publication.builds);
    if !replaced.is_empty() || builds.is_some() {
        let record = Record {
            schema: schema.to_owned(),
            published: tables.iter().map(ToString::to_string).collect(),
            replaced: replaced.clone(),
            builds: directories.record.clone(),
            older_builds: drop_older(&mut transaction, builds)?,
        };
        previous::make(&mut transaction, &record)?;
        failpoint::reached("publish on record");
    }
    let before = steps.before(&mut transaction, schema)?;
    failpoint::reached("steps before the moves done");
    let id = number(&mut transaction, target, directories.renames.is_some())?;
    if lock_live(&mut transaction, schema, tables)? != replaced {
        return Err(
            Error::target("the tables of the target have changed meanwhile")
                .hint("stop GitLab and its jobs, then run it again"),
        );
    }
    let locked = Instant::now();
    failpoint::reached("live tables locked");
    let lost = exchange(&mut transaction, schema, &replaced, tables)?;
    drop_empty(&mut transaction, STAGING_SCHEMA)?;
    failpoint::reached("empty schema dropped");
    let finished = steps.finish(&mut transaction, schema, before)?;
    failpoint::reached("steps done");
    let previous_builds = directories.previous();
    rename_and_commit(transaction, target, id, directories.renames)?;
    Ok(Published {
        lost,
        locked: (!replaced.is_empty()).then(|| locked.elapsed()),
        replaced,
        previous_builds,
        finished,
    })
}

/// Moves the tables `replaced` aside, and the staged `tables` in. They get the rights, comments and settings of those that
/// they replace. Returns what they do not get.
fn exchange(
    transaction: &mut Transaction<'_>,
    schema: &str,
    replaced: &[String],
    tables: &[&str],
) -> Result<Vec<(String, String)>> {
    if replaced.is_empty() {
        move_in(transaction, STAGING_SCHEMA, tables, schema)?;
        return Ok(Vec::new());
    }
    let rights = rights(transaction, schema, replaced, STAGING_SCHEMA)?;
    let comments: Vec<comments::Comments> = replaced
        .iter()
        .map(|name| comments::read(transaction, schema, name))
        .collect::<Result<_>>()?;
    let settings: Vec<TableSettings> = replaced
        .iter()
        .map(|name| table_settings::read(transaction, schema, name))
        .collect::<Result<_>>()?;
    move_aside(
        transaction,
        schema,
        replaced,
        STAGING_SCHEMA,
        PREVIOUS_SCHEMA,
    )?;
    move_in(transaction, STAGING_SCHEMA, tables, schema)?;
    for rights in rights {
        rights.give(transaction)?;
        failpoint::reached("rights given");
    }
    give_functions(transaction, schema, tables)?;
    for comments in comments {
        comments.give(transaction, schema)?;
    }
    let mut lost = Vec::new();
    for settings in settings {
        lost.extend(settings.give(transaction, schema)?);
    }
    Ok(lost)
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
