//! Replaces the live data with the staged data.

use std::time::Instant;

use postgres::{Client, Transaction};

use super::citus;
use super::comments;
use super::commit::{number, rename_and_commit};
use super::lock::{begin, live, lock_live, patiently};
use super::part::Part;
use super::previous;
use super::relations::{drop_empty, give_functions, make_schema, move_aside, move_in, rights};
use super::table_settings;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::publish::directories::plan_publish;
use crate::publish::outcome::{Publication, Published};
use crate::publish::prefixes::both;
use crate::publish::record::{Record, RecordOfSchema};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::load::schemas_beside;
use crate::server::postgresql::options::ConnectionOptions;
use crate::traces::Builds;

/// What a table has lost that replaces one of Citus.
const UNDISTRIBUTED: &str =
    "Citus distributes the replaced table; now it is an ordinary table of the coordinator";

/// The steps of a publish in its transaction, besides moving the tables. They keep the rows that they change in
/// [`PREVIOUS_SCHEMA`](super::PREVIOUS_SCHEMA).
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
    let parts = Part::all(publication);
    let others = steps.locks();
    patiently(client, &parts, others, publication.waiting, |client| {
        publish_once(target, client, publication, &parts, steps)
    })
}

fn publish_once<S: Steps>(
    target: &ConnectionOptions,
    client: &mut Client,
    publication: &Publication<'_>,
    parts: &[Part<'_>],
    steps: &mut S,
) -> Result<Published<S::Done>> {
    let schema = publication.schema;
    let mut transaction = begin(client)?;
    let mut replaced = Vec::new();
    for part in parts {
        replaced.push(live(&mut transaction, part.schemas.live, &part.tables)?);
        if !part.tables.is_empty() {
            make_schema(&mut transaction, part.schemas.live)?;
        }
    }
    let is_replacing = replaced.iter().any(|tables| !tables.is_empty());
    let directories = plan_publish(publication.builds);
    let mut previous_prefix = None;
    // An earlier record leads to what that import has replaced, and this one replaces nothing.
    let only_records_input = publication.input.is_some()
        && Record::read(&mut transaction)?.is_none_or(|it| it.is_at_rest());
    if is_replacing || publication.builds.is_some() || only_records_input {
        let older = take_older(&mut transaction)?;
        let (builds, staged) = publication.builds.unzip();
        let (older_builds, elsewhere) = older.older_directories(builds.and_then(Builds::directory));
        let mut of_schemas = parts.iter().zip(&replaced).map(of_schema);
        let first = of_schemas.next().unwrap_or_default();
        let record = Record {
            schema: first.schema,
            published: first.published,
            replaced: first.replaced,
            builds: directories.record.clone(),
            prefixes: older.prefixes.after(staged),
            older_builds,
            elsewhere,
            input: publication.input.cloned(),
            others: of_schemas.collect(),
        };
        previous_prefix = record.prefixes.replaced().cloned();
        previous::make(&mut transaction, &record)?;
        failpoint::reached("publish on record");
    }
    let before = steps.before(&mut transaction, schema)?;
    failpoint::reached("steps before the moves done");
    let id = number(&mut transaction, target, publication.builds.is_some())?;
    lock_all(&mut transaction, parts, &replaced)?;
    let locked = Instant::now();
    if let Some((_, staged)) = publication.builds {
        staged.leave_if_killed();
    }
    failpoint::reached("live tables locked");
    let mut lost = Vec::new();
    for (part, replaced) in parts.iter().zip(&replaced) {
        lost.extend(exchange(
            &mut transaction,
            part,
            replaced,
            publication.undistribute,
        )?);
        drop_empty(&mut transaction, &part.schemas.staging())?;
    }
    // Those of which all tables were dropped again.
    let left = schemas_beside(&mut transaction).map_err(failure("look for staging schemas"))?;
    for schema in left {
        drop_empty(&mut transaction, &schema)?;
    }
    failpoint::reached("empty schema dropped");
    let finished = steps.finish(&mut transaction, schema, before)?;
    failpoint::reached("steps done");
    let previous_builds = both(previous_prefix.as_ref(), directories.previous());
    rename_and_commit(transaction, target, id, directories.renames)?;
    let of_parts = parts.iter().zip(&replaced);
    let shown = of_parts.flat_map(|(part, tables)| {
        let tables = tables.iter();
        tables.map(|table| part.schemas.shown(table))
    });
    Ok(Published {
        lost,
        locked: is_replacing.then(|| locked.elapsed()),
        replaced: shown.collect(),
        previous_builds,
        finished,
    })
}

/// Locks the live tables of all parts. An error if they are not those that are to be `replaced` any more.
fn lock_all(
    transaction: &mut Transaction<'_>,
    parts: &[Part<'_>],
    replaced: &[Vec<String>],
) -> Result<()> {
    for (part, replaced) in parts.iter().zip(replaced) {
        if lock_live(transaction, part.schemas.live, &part.tables)? != *replaced {
            return Err(
                Error::target("the tables of the target have changed meanwhile")
                    .hint("stop GitLab and its jobs, then run it again"),
            );
        }
    }
    Ok(())
}

/// What the record says of a part, of which the tables `replaced` are live before.
fn of_schema((part, replaced): (&Part<'_>, &Vec<String>)) -> RecordOfSchema {
    let tables = part.tables.iter();
    RecordOfSchema {
        schema: part.schemas.live.to_owned(),
        published: tables.map(ToString::to_string).collect(),
        replaced: replaced.clone(),
    }
}

/// Moves the tables `replaced` of a part aside, and its staged tables in. They get the rights, comments and settings of
/// those that they replace. Returns what they do not get.
fn exchange(
    transaction: &mut Transaction<'_>,
    part: &Part<'_>,
    replaced: &[String],
    undistribute: bool,
) -> Result<Vec<(String, String)>> {
    let (schema, staging) = (part.schemas.live, part.schemas.staging());
    if replaced.is_empty() {
        move_in(transaction, &staging, &part.tables, schema)?;
        return Ok(Vec::new());
    }
    let rights = rights(transaction, schema, replaced, &staging)?;
    let comments: Vec<comments::Comments> = replaced
        .iter()
        .map(|name| comments::read(transaction, schema, name))
        .collect::<Result<_>>()?;
    let settings = table_settings::read_all(transaction, schema, replaced)?;
    let had = table_settings::not_carried_over(transaction, schema, replaced)?;
    let distributed = citus::distributed(transaction, schema, replaced)?;
    if !undistribute {
        // Since it was examined.
        citus::refuse_distributed(schema, &distributed)?;
    }
    let previous = part.schemas.previous();
    move_aside(transaction, schema, replaced, &staging, &previous)?;
    move_in(transaction, &staging, &part.tables, schema)?;
    for rights in rights {
        rights.give(transaction)?;
        failpoint::reached("rights given");
    }
    give_functions(transaction, schema, &part.tables)?;
    for comments in comments {
        comments.give(transaction, schema)?;
    }
    let mut lost: Vec<(String, String)> = distributed
        .iter()
        .map(|table| (part.schemas.shown(table), UNDISTRIBUTED.to_owned()))
        .collect();
    let has = table_settings::not_carried_over(transaction, schema, &part.tables)?;
    let mut told: Vec<_> = had.into_iter().filter(|it| !has.contains(it)).collect();
    for settings in settings {
        told.extend(settings.give(transaction, schema)?);
    }
    lost.extend(
        told.into_iter()
            .map(|(table, what)| (part.schemas.shown(&table), what)),
    );
    Ok(lost)
}

/// Drops the tables that the previous publish has replaced, if they still exist. Its traces stay. Returns its record.
fn take_older(transaction: &mut Transaction<'_>) -> Result<Record> {
    let Some(older) = Record::read(transaction)? else {
        return Ok(Record::default());
    };
    previous::drop_all(transaction, &older, true)?;
    Ok(older)
}
