//! Wires the rooms together: archive, dump, conversion, load, traces, publish. The only place
//! that knows all of them.

mod destination;
mod stage;

use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::archive;
use crate::convert::Accept;
use crate::dump::Facts;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::gitlab::information::Information;
use crate::gitlab::live::{self, LiveChanges};
use crate::gitlab::tables::{TABLES, check_table};
use crate::halt::Halt;
use crate::input::{Asked, Input};
use crate::load::{LoadedTable, Staging};
use crate::members::take_members;
use crate::preflight::{estimate, refuse_too_little};
use crate::progress::Progress;
use crate::publish::{
    Live, Publication, Published, examine, identity, publish, recover, tables_of,
};
use crate::report::{ArchiveReport, Report};
use crate::schema::Note;
use crate::settings::{Settings, Source};
use crate::terminal;
use crate::traces::{StagedDirectory, TraceSummary};
use crate::verify::{Depth, verify_staged};

pub(crate) use destination::Ready;
use stage::Stager;

/// The schema that a plain dump goes to when none is named.
pub(crate) const DEFAULT_SCHEMA: &str = "public";

/// What was staged, and what is known of it.
struct Staged {
    information: Option<Information>,
    tables: Vec<LoadedTable>,
    notes: Vec<Note>,
    facts: Facts,
    traces: TraceSummary,
}

/// Does the whole import; the report is of what was published.
pub fn run(settings: &Settings, progress: &Progress, halt: &Halt) -> Result<Report> {
    let started = Instant::now();
    let input = Input::open(&settings.source, halt)?;
    let is_archive = input.is_archive();
    let asked = Asked::by_option(settings.mysql_to_postgresql, !is_archive);
    let information = input.judge(asked)?.map(|judged| judged.information);
    let destination = Ready::prepare(&settings.destination, is_archive, progress)?;
    let mut staging = Staging::lock(&destination.target)?;
    recover_first(&mut staging, &destination)?;
    check_room(&mut staging, settings, &destination, &input)?;
    let live = look_at(&mut staging, settings, &destination, is_archive, halt)?;
    let accept = acceptance(&mut staging, settings, &live, is_archive)?;
    staging.make()?;
    failpoint::reached("staging schema made");
    let unique = unique_suffix();
    let directory = destination
        .builds
        .as_ref()
        .map(|b| b.stage(&unique))
        .transpose()?;
    let stage = Stager {
        settings,
        target: staging.target(),
        owner: staging.owner(),
        directory: directory.as_ref(),
        accept: &*accept,
        progress,
        halt,
    };
    let taken = take_members(input, &stage, halt)?;
    let staged = Staged {
        information: information.or(taken.information),
        tables: taken.database.tables,
        notes: taken.database.notes,
        facts: taken.database.facts,
        traces: taken.builds.unwrap_or_default(),
    };
    check(&staged, is_archive)?;
    failpoint::reached("staged");
    if settings.verify != Depth::None {
        progress.step("verifying what was staged");
    }
    verify_staged(
        staging.target(),
        settings.resources.jobs,
        &staged.tables,
        directory
            .as_ref()
            .map(|staged_in| (staged_in, &staged.traces)),
        settings.verify,
        halt,
    )?;
    halt.check()?;
    failpoint::reached("to be published");
    progress.step("publishing");
    let published = if is_archive {
        publish_archive(
            &mut staging,
            &live,
            &staged,
            &destination,
            directory.as_ref(),
            halt,
        )?
    } else {
        publish_dump(&mut staging, &live, &staged, halt)?
    };
    failpoint::reached("published");
    staging.published();
    let mut notes = staged.notes;
    notes.extend(missing_tables(&staged.tables, is_archive));
    let archive = staged.information.map(|information| ArchiveReport {
        information,
        traces: staged.traces,
        builds: destination
            .builds
            .as_ref()
            .map(|b| b.path().to_owned())
            .unwrap_or_default(),
        previous_builds: published.previous_builds,
        live: published.finished,
    });
    if let Some(mut directory) = directory {
        directory.published();
    }
    Ok(Report {
        input: settings.source.name(),
        target: destination.shown(),
        schema: live.schema,
        facts: staged.facts,
        tables: staged.tables,
        notes,
        replaced: published.replaced,
        verified: settings.verify,
        archive,
        elapsed: started.elapsed(),
        connect: destination.how_to_connect(),
    })
}

impl Source {
    /// What it is called in reports.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Source::Stdin => "standard input".to_owned(),
            Source::Path(path) => path
                .file_name()
                .unwrap_or(path.as_os_str())
                .display()
                .to_string(),
        }
    }
}

/// Finishes or undoes a publish that was cut off.
fn recover_first(staging: &mut Staging, destination: &Ready) -> Result<()> {
    let Some(builds) = &destination.builds else {
        return Ok(());
    };
    let target = staging.target().clone();
    if let Some(told) = recover(&target, staging.client(), builds)?.told() {
        terminal::say(&format!("ci-import: {told}"));
    }
    Ok(())
}

/// Sees that a publish with traces can be recovered, and that there is room for them.
fn check_room(
    staging: &mut Staging,
    settings: &Settings,
    destination: &Ready,
    input: &Input<'_>,
) -> Result<()> {
    let Some(builds) = &destination.builds else {
        return Ok(());
    };
    identity(staging.client())?;
    match input {
        Input::ArchiveFile(archive) if !settings.no_space_check => {
            refuse_too_little(builds.path(), estimate(archive)?.least_traces)
        }
        _ => Ok(()),
    }
}

/// Looks at what is live, and asks whether CI's data may be replaced.
fn look_at(
    staging: &mut Staging,
    settings: &Settings,
    destination: &Ready,
    is_archive: bool,
    halt: &Halt,
) -> Result<Live> {
    if is_archive {
        let live = examine(staging.client(), settings.schema.as_deref(), &TABLES)?;
        destination.confirm(settings, &live, halt)?;
        return Ok(live);
    }
    let schema = settings.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
    examine(staging.client(), Some(schema), &[])
}

/// Which tables may be imported: of an archive those of GitLab CI, of a dump those that would
/// replace none, unless they may.
fn acceptance(
    staging: &mut Staging,
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
        tables_of(staging.client(), &live.schema)?
            .into_iter()
            .collect()
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
        if staged.tables.is_empty() {
            return Err(Error::archive("it holds no table of GitLab CI").at(archive::DATABASE));
        }
    } else if staged.tables.is_empty() {
        return Err(Error::archive("the dump holds no table"));
    }
    Ok(())
}

/// Notes of the tables that an archive should have and has not: those of the target stay.
fn missing_tables(tables: &[LoadedTable], is_archive: bool) -> Vec<Note> {
    let is_there = |name: &str| tables.iter().any(|loaded| loaded.table.name == name);
    let missing = TABLES.iter().filter(|name| is_archive && !is_there(name));
    let note = |name: &&str| Note {
        table: (*name).to_owned(),
        item: None,
        what: "the dump has no such table; what the target has of it stays".to_owned(),
    };
    missing.map(note).collect()
}

fn names(staged: &Staged) -> Vec<&str> {
    staged
        .tables
        .iter()
        .map(|loaded| loaded.table.name.as_str())
        .collect()
}

fn publish_archive(
    staging: &mut Staging,
    live: &Live,
    staged: &Staged,
    destination: &Ready,
    directory: Option<&StagedDirectory>,
    halt: &Halt,
) -> Result<Published<LiveChanges>> {
    let publication = Publication {
        schema: &live.schema,
        tables: &names(staged),
        builds: destination.builds.as_ref().zip(directory),
    };
    let target = staging.target().clone();
    publish(
        &target,
        staging.client(),
        &publication,
        &mut live::disable_ci,
        &mut |transaction, schema| {
            let changes = live::finish(transaction, schema)?;
            // Nothing stops it from here on.
            halt.check()?;
            Ok(changes)
        },
    )
}

fn publish_dump(
    staging: &mut Staging,
    live: &Live,
    staged: &Staged,
    halt: &Halt,
) -> Result<Published<LiveChanges>> {
    let tables = names(staged);
    // Now that the names are known: what depends on tables of the same names?
    examine(staging.client(), Some(&live.schema), &tables)?;
    let publication = Publication {
        schema: &live.schema,
        tables: &tables,
        builds: None,
    };
    let nothing = LiveChanges::default();
    let target = staging.target().clone();
    publish(
        &target,
        staging.client(),
        &publication,
        &mut |_, _| Ok(()),
        &mut |_, _| halt.check().map(|()| nothing.clone()),
    )
}

/// Keeps the staging directories of different imports apart.
fn unique_suffix() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    format!("{}.{}", now.as_secs(), std::process::id())
}
