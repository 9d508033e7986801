//! Replaces the live data with the staged data.

use mysql::Conn;

use super::carry_out::{Plan, carry_out};
use super::catalog::base_tables;
use super::kept;
use super::lock::{alone, patiently};
use super::moves::Move;
use super::names::OURS;
use super::passing;
use super::record;
use super::recover::Undo;
use super::steps::Steps;
use crate::error::{Error, Kind, Result};
use crate::publish::directories::plan_publish;
use crate::publish::outcome::{Publication, Published};
use crate::publish::prefixes::both;
use crate::publish::record::Record;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::options::ConnectionOptions;

/// Publishes the tables of the staging database with `steps`: all of it, or nothing. `undo` can undo the step
/// before the moves. `last` can still stop the publish, just before the commit. The publication's schema is
/// the live database. A lost session is replaced by another.
pub fn publish<S: Steps>(
    target: &ConnectionOptions,
    conn: &mut Conn,
    publication: &Publication<'_>,
    steps: &mut S,
    undo: Undo<'_>,
    last: &mut dyn FnMut() -> Result<()>,
) -> Result<Published<S::Done>> {
    let databases = &Databases::of(publication.schema)?;
    refuse_our_names(publication.tables)?;
    let (tables, others) = (publication.tables, steps.locks());
    // If the session is lost, the lock is lost, too. The replacing session takes the lock again.
    alone(conn, databases, |conn| {
        patiently(
            conn,
            databases,
            (tables, others),
            publication.waiting,
            |conn| publish_once(target, conn, databases, publication, (steps, undo), last),
        )
    })
}

fn publish_once<S: Steps>(
    target: &ConnectionOptions,
    conn: &mut Conn,
    databases: &Databases,
    publication: &Publication<'_>,
    (steps, undo): (&mut S, Undo<'_>),
    last: &mut dyn FnMut() -> Result<()>,
) -> Result<Published<S::Done>> {
    refuse_cut(conn, databases)?;
    let mut replaced = base_tables(conn, &databases.live)?;
    replaced.retain(|name| publication.tables.contains(&name.as_str()));
    let directories = plan_publish(publication.builds);
    let builds = publication
        .builds
        .and_then(|(builds, _)| builds.directory());
    let before = record::last(conn, databases)?;
    // An earlier record leads to what that import has replaced.
    let is_new = match &before {
        Some(before) => record::is_at_rest(conn, databases, before)?,
        None => true,
    };
    let only_records_input = publication.input.is_some() && is_new;
    let before = before.map(|before| before.record).unwrap_or_default();
    let keeps = !replaced.is_empty() || publication.builds.is_some() || only_records_input;
    let (older_builds, elsewhere) = before.older_directories(builds);
    let prefixes = before
        .prefixes
        .after(publication.builds.map(|(_, staged)| staged));
    let previous_builds = both(prefixes.replaced(), directories.previous());
    let aside = replaced
        .iter()
        .map(|name| Move::of(name, &databases.live, &databases.previous));
    let staged = publication
        .tables
        .iter()
        .map(|name| Move::of(name, &databases.staging, &databases.live));
    let plan = Plan {
        record: Record {
            schema: databases.live.clone(),
            published: publication.tables.iter().map(ToString::to_string).collect(),
            replaced: replaced.clone(),
            builds: directories.record,
            prefixes,
            older_builds,
            elsewhere,
            input: publication.input.cloned(),
            others: Vec::new(),
        },
        keeps,
        aside: aside.collect(),
        coming: staged.chain(kept::moves(conn, databases)?).collect(),
        renames: directories.renames,
    };
    if let Some((_, staged)) = publication.builds {
        staged.leave_if_killed();
    }
    let finished = carry_out(target, conn, databases, plan, (steps, undo), last)?;
    Ok(Published {
        lost: Vec::new(),
        // One statement renames the tables.
        locked: None,
        replaced,
        previous_builds,
        finished,
    })
}

/// Refuses tables with names that are reserved for the publish's own tables.
pub(super) fn refuse_our_names(tables: &[&str]) -> Result<()> {
    let Some(name) = tables.iter().find(|name| name.starts_with(OURS)) else {
        return Ok(());
    };
    Err(Error::usage(format!(
        "the name of the table {name} is reserved for tables of ci-import"
    ))
    .hint(format!("--skip-table {name} leaves it out")))
}

/// Refuses to begin before an interrupted publish is recovered.
pub(super) fn refuse_cut(conn: &mut Conn, databases: &Databases) -> Result<()> {
    if passing::publish_of(conn, databases)?.is_none() {
        return Ok(());
    }
    let message = "an interrupted publish must be completed or undone first";
    Err(Error::new(Kind::CutPublish, message).hint("run ci-import recover"))
}
