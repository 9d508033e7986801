//! Wires the rooms together: archive, dump, conversion, load, traces, publish. The only place
//! that knows all of them.

pub mod report;
mod stage;

use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::destination::Ready;
use super::estimate::estimate;
use super::space::refuse_too_little;
use crate::archive;
use crate::cancellation::Halt;
use crate::cli::settings::Settings;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::gitlab::information::Information;
use crate::gitlab::live::LiveChanges;
use crate::gitlab::tables::{TABLES, check_table};
use crate::input::locate::locate;
use crate::input::members::take_members;
use crate::input::open::Input;
use crate::pipeline::converter::Accept;
use crate::pipeline::loaded::{LoadedDump, LoadedTable};
use crate::publish::outcome::{Live, Publication, Published};
use crate::schema::Note;
use crate::server::Held;
use crate::traces::{BuildsDirectory, StagedDirectory, TraceSummary};
use crate::ui::progress::Progress;
use crate::ui::terminal;
use crate::verify::{Depth, verify_staged};
use report::{ArchiveReport, Report};

use stage::Stager;

/// What was staged, and what is known of it.
struct Staged {
    information: Option<Information>,
    dump: LoadedDump,
    traces: TraceSummary,
}

/// Does the whole import; the report is of what was published.
pub fn run(settings: &Settings, progress: &Progress, halt: &Halt) -> Result<Report> {
    let started = Instant::now();
    let located = locate(&settings.source)?;
    let input = Input::open(&located, halt)?;
    let is_archive = input.is_archive();
    let (convert, policies) = (settings.mysql_to_postgresql, &settings.policies);
    let asked = settings.destination.asks(convert, !is_archive, policies)?;
    let information = input.judge(asked)?.map(|judged| judged.information);
    let destination = Ready::prepare(&settings.destination, is_archive, progress)?;
    let mut held = destination.target.hold()?;
    let target = &mut *held;
    recover_first(target, &destination)?;
    check_room(target, settings, &destination, &input)?;
    let live = look_at(target, settings, &destination, is_archive, halt)?;
    let accept = acceptance(target, settings, &live, is_archive)?;
    target.make_staging()?;
    failpoint::reached("staging schema made");
    let unique = unique_suffix();
    let directory = destination
        .builds
        .as_ref()
        .map(|b| b.stage(&unique))
        .transpose()?;
    let loads = target.loads();
    let stage = Stager {
        settings,
        loads: &*loads,
        asked,
        directory: directory.as_ref(),
        accept: &*accept,
        progress,
        halt,
    };
    let taken = take_members(input, &stage, halt)?;
    let staged = Staged {
        information: information.or(taken.information),
        dump: taken.database,
        traces: taken.builds.unwrap_or_default(),
    };
    check(&staged, is_archive)?;
    failpoint::reached("staged");
    if settings.verify != Depth::None {
        progress.step("verifying what was staged");
    }
    let jobs = settings.resources.jobs;
    verify_staged(
        || target.verify_staged(jobs, &staged.dump.tables, halt),
        directory
            .as_ref()
            .map(|staged_in| (staged_in, &staged.traces)),
        settings.verify,
        halt,
    )?;
    halt.check()?;
    failpoint::reached("to be published");
    progress.step("publishing");
    let builds = destination.builds.as_ref().zip(directory.as_ref());
    let published = publish(target, &live.schema, &staged, builds, is_archive, halt)?;
    failpoint::reached("published");
    let migrations = if is_archive {
        let skip = settings.skip_post_deployment;
        target.run_post_deployment(&live.schema, skip, progress, halt)
    } else {
        Vec::new()
    };
    let LoadedDump {
        tables,
        mut notes,
        facts,
    } = staged.dump;
    notes.extend(missing_tables(&tables, is_archive));
    let archive = staged.information.map(|information| ArchiveReport {
        information,
        traces: staged.traces,
        builds: destination.builds_path(),
        previous_builds: published.previous_builds,
        live: published.finished,
        migrations,
    });
    if let Some(mut directory) = directory {
        directory.published();
    }
    Ok(Report {
        input: located.name(),
        target: destination.shown(),
        schema: live.schema,
        facts,
        tables,
        notes,
        replaced: published.replaced,
        previous_schema: target.previous(),
        verified: settings.verify,
        archive,
        elapsed: started.elapsed(),
        connect: destination.how_to_connect(),
    })
}

/// Finishes or undoes a publish that was cut off.
fn recover_first(target: &mut dyn Held, destination: &Ready) -> Result<()> {
    if let Some(told) = target.recover(destination.builds.as_ref())?.told() {
        terminal::say(&format!("ci-import: {told}"));
    }
    Ok(())
}

/// Sees that a publish with traces can be recovered, and that there is room for them.
fn check_room(
    target: &mut dyn Held,
    settings: &Settings,
    destination: &Ready,
    input: &Input<'_>,
) -> Result<()> {
    let Some(builds) = &destination.builds else {
        return Ok(());
    };
    target.check_recovery()?;
    match input.sizes()? {
        Some((database, traces)) if !settings.no_space_check => {
            refuse_too_little(builds.path(), estimate(database, traces).least_traces)
        }
        _ => Ok(()),
    }
}

/// Looks at what is live, and asks whether CI's data may be replaced.
fn look_at(
    target: &mut dyn Held,
    settings: &Settings,
    destination: &Ready,
    is_archive: bool,
    halt: &Halt,
) -> Result<Live> {
    let schema = target.schema(settings.schema.as_deref(), is_archive)?;
    if is_archive {
        let live = target.examine(&schema, &TABLES)?;
        destination.confirm(settings, &live, &target.previous(), halt)?;
        return Ok(live);
    }
    target.examine(&schema, &[])
}

/// Which tables may be imported: of an archive those of GitLab CI, of a dump those that would
/// replace none, unless they may.
fn acceptance(
    target: &mut dyn Held,
    settings: &Settings,
    live: &Live,
    is_archive: bool,
) -> Result<Box<dyn Fn() -> Accept + Sync>> {
    if is_archive {
        return Ok(Box::new(|| Box::new(check_table)));
    }
    let existing: HashSet<String> = if settings.replace {
        HashSet::new()
    } else {
        target.tables_of(&live.schema)?.into_iter().collect()
    };
    let schema = live.schema.clone();
    Ok(Box::new(move || {
        let (existing, schema) = (existing.clone(), schema.clone());
        Box::new(move |name| {
            if !existing.contains(name) {
                return Ok(());
            }
            Err(Error::usage(format!("the target has a table {schema}.{name} already")).hint(
                "--replace puts the dump's tables in the place of those; --schema puts them elsewhere",
            ))
        })
    }))
}

/// What must hold before anything is published.
fn check(staged: &Staged, is_archive: bool) -> Result<()> {
    if is_archive {
        let missing = || {
            Error::archive(format!(
                "the archive has no member {}",
                archive::INFORMATION
            ))
        };
        staged
            .information
            .as_ref()
            .ok_or_else(missing)?
            .check_version()?;
        if staged.dump.tables.is_empty() {
            return Err(Error::archive("it holds no table of GitLab CI").at(archive::DATABASE));
        }
    } else if staged.dump.tables.is_empty() {
        return Err(Error::archive("the dump holds no table"));
    }
    Ok(())
}

/// Notes of the tables that an archive should have and has not: those of the target stay.
fn missing_tables(tables: &[LoadedTable], is_archive: bool) -> Vec<Note> {
    let is_there = |name: &str| tables.iter().any(|loaded| loaded.name == name);
    let missing = TABLES.iter().filter(|name| is_archive && !is_there(name));
    let note = |name: &&str| Note {
        table: (*name).to_owned(),
        item: None,
        what: "the dump has no such table; what the target has of it stays".to_owned(),
    };
    missing.map(note).collect()
}

fn publish(
    target: &mut dyn Held,
    schema: &str,
    staged: &Staged,
    builds: Option<(&BuildsDirectory, &StagedDirectory)>,
    is_archive: bool,
    halt: &Halt,
) -> Result<Published<LiveChanges>> {
    let tables: Vec<&str> = staged.dump.tables.iter().map(|t| t.name.as_str()).collect();
    if !is_archive {
        // Now that the names are known: what depends on tables of the same names?
        target.examine(schema, &tables)?;
    }
    let publication = Publication {
        schema,
        tables: &tables,
        builds,
    };
    target.publish(&publication, is_archive, halt)
}

/// Keeps the staging directories of different imports apart.
fn unique_suffix() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    format!("{}.{}", now.as_secs(), std::process::id())
}
