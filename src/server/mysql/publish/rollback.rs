//! Restores what a publish has replaced. The data of the publish is kept aside, so that the rollback can be
//! undone in the same way.

use mysql::Conn;

use super::carry_out::{Plan, carry_out};
use super::catalog::base_tables;
use super::examine::refuse_dependents;
use super::lock::alone;
use super::moves::Move;
use super::record;
use super::recover::Undo;
use super::steps::Steps;
use super::swap::refuse_cut;
use crate::error::{Error, Result};
use crate::publish::directories::plan_rollback;
use crate::publish::outcome::RolledBack;
use crate::publish::prefixes::both;
use crate::publish::record::Record;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::options::ConnectionOptions;
use crate::traces::Builds;

/// The tables that a rollback would restore, and those that it would move aside. None if there is no publish
/// to undo.
pub fn previous_import(
    conn: &mut Conn,
    databases: &Databases,
) -> Result<Option<(Vec<String>, Vec<String>)>> {
    let record = undoable(conn, databases)?;
    Ok(record.map(|record| (record.replaced, record.published)))
}

fn undoable(conn: &mut Conn, databases: &Databases) -> Result<Option<Record>> {
    let last = record::last(conn, databases)?.map(|last| last.record);
    Ok(last.filter(Record::can_be_undone))
}

/// Undoes the last publish: all of it, or nothing. `exchange` are the steps that exchange the rows that the
/// publish changed in tables it did not replace.
pub fn rollback<S: Steps>(
    target: &ConnectionOptions,
    conn: &mut Conn,
    databases: &Databases,
    builds: Option<&Builds>,
    exchange: &mut S,
    undo: Undo<'_>,
) -> Result<RolledBack> {
    alone(conn, databases, |conn| {
        refuse_cut(conn, databases)?;
        let record = undoable(conn, databases)?.ok_or_else(|| {
            Error::usage("there is nothing to roll back: no import has replaced anything here")
        })?;
        record.prefixes.check_return(builds)?;
        let builds = record.builds(builds.and_then(Builds::directory))?;
        let directories = plan_rollback(&record, builds)?;
        let names: Vec<&str> = record.published.iter().map(String::as_str).collect();
        refuse_dependents(conn, databases, &names)?;
        let Databases {
            live,
            previous,
            passing,
            ..
        } = databases;
        let mut going = base_tables(conn, live)?;
        going.retain(|name| record.published.contains(name));
        let aside = going.iter().map(|name| Move::of(name, live, previous));
        // All tables of `previous` move to `passing` first.
        let back = record
            .replaced
            .iter()
            .map(|name| Move::of(name, passing, live));
        let prefixes = record.prefixes.reversed();
        let done = RolledBack {
            schema: live.clone(),
            restored: record.replaced.clone(),
            aside: going.clone(),
            previous: previous.clone(),
            builds: both(record.prefixes.replaced(), directories.live()),
            builds_aside: both(prefixes.replaced(), directories.previous()),
        };
        let plan = Plan {
            keeps: true,
            aside: aside.collect(),
            coming: back.collect(),
            record: Record {
                schema: live.clone(),
                published: record.replaced.clone(),
                replaced: going.clone(),
                builds: directories.record,
                older_builds: record.older_builds.clone(),
                elsewhere: record.elsewhere.clone(),
                prefixes,
                input: None,
                others: Vec::new(),
            },
            renames: directories.renames,
        };
        carry_out(target, conn, databases, plan, (exchange, undo), &mut || {
            Ok(())
        })?;
        Ok(done)
    })
}
