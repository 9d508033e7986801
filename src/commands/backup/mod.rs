//! `ci-import backup`: makes the archive on the CI server. It gets its name when it is complete and was read back.

mod child;
mod delivery;
mod folder;
mod object;
pub mod report;
pub mod settings;
mod version;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use child::Dumping;
use delivery::Delivery;
use folder::NewArchive;
use report::Made;
use settings::BackupSettings;

use super::import::report::Changes;
use super::inspect::{self, Findings};
use crate::archive::{DATABASE, INFORMATION};
use crate::cancellation::Cancellation;
use crate::error::codes::Code;
use crate::error::{Doing, Error, Result};
use crate::failpoint;
use crate::gitlab::tables::{TABLES, check_table};
use crate::input::source::Source;
use crate::output::{BackupArchive, Converted, convert_dump};
use crate::server::BackupSource;
use crate::traces::{BuildsDirectory, Packed, free_bytes, pack, traces_in};
use crate::ui::progress::Progress;

/// The archive is smaller than what it has, at least by this. Traces and SQL are smaller by more.
const LEAST_RATIO: u64 = 12;

/// The version if nothing says it; its tables are those of 8.0.
const UNKNOWN_VERSION: &str = "8.0";

/// Makes the archive.
pub fn run(
    settings: &BackupSettings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Made> {
    let version = version::of_ci(settings.ci_version.as_deref(), settings.install.as_deref())?;
    let source = settings.source.backup_source()?;
    let db_version = source
        .db_version
        .clone()
        .filter(|version| is_number(version));
    let mut notes = notes_before(&source, db_version.is_some(), version.is_some());
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let time = now.as_secs();
    let (_, trace_bytes) = traces_in(&settings.builds)?;
    if !settings.no_space_check {
        refuse_too_little(
            &settings.to.first_folder(),
            (source.bytes + trace_bytes) / LEAST_RATIO,
        )?;
    }
    let builds = BuildsDirectory::at(&settings.builds)?;
    let delivery = Delivery::begin(settings, time)?;
    let (archive, file) = NewArchive::create(&settings.to.first_folder(), time)?;
    let version = version.unwrap_or_else(|| UNKNOWN_VERSION.to_owned());
    let writing = Writing {
        settings,
        source: &source,
        builds: &builds,
        progress,
        cancellation,
    };
    let information = information(&version, db_version.as_deref());
    let written = cancellation.guard(|| writing.all(file, time, trace_bytes, &information))?;
    let said = written.said.iter();
    let said = said.map(|line| format!("the dump program says: {line}"));
    notes.extend(said.map(|what| (Code::DumpProgramSays, what)));
    notes.extend(written.packed.notes());
    written.file.sync_all().doing("write the archive")?;
    let found = read_back(
        archive.path(),
        &written.packed,
        settings,
        progress,
        cancellation,
    )?;
    failpoint::reached("archive read back");
    cancellation.check()?;
    let bytes = written.file.metadata().doing("read the archive")?.len();
    let (place, removed) = delivery.deliver(archive, &written.file, progress, cancellation)?;
    Ok(Made {
        place,
        bytes,
        server: source.server,
        version,
        tables: found
            .tables()
            .map(|(name, rows)| (name.to_owned(), rows))
            .collect(),
        traces: (written.packed.files, written.packed.bytes),
        changes: written.converted.map(changes_of),
        notes,
        removed,
    })
}

/// What is to be known before anything is written.
fn notes_before(
    source: &BackupSource,
    has_migration: bool,
    has_version: bool,
) -> Vec<(Code, String)> {
    let mut notes = Vec::new();
    if !source.without_transactions.is_empty() {
        let names = source.without_transactions.join(", ");
        let what = format!(
            "tables without transactions, which were locked while the dump was made: {names}"
        );
        notes.push((Code::TablesLocked, what));
    }
    if !has_migration {
        let what = "the database does not say which migration was its last";
        notes.push((Code::NoMigration, what.to_owned()));
    }
    if !has_version {
        let what = format!(
            "no file says which version GitLab CI is (--install, --ci-version); its tables are those of {UNKNOWN_VERSION}"
        );
        notes.push((Code::NoVersion, what));
    }
    notes
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An error if not even `least` bytes are free in `folder`.
fn refuse_too_little(folder: &Path, least: u64) -> Result<()> {
    match free_bytes(folder) {
        Some(free) if free < least => Err(Error::failed(format!(
            "not enough space in {}: the archive needs {} MB or more, {} MB are free",
            folder.display(),
            least.div_ceil(1_000_000),
            free / 1_000_000
        ))
        .hint("name a folder with more space, -o FOLDER; --no-space-check starts all the same")),
        _ => Ok(()),
    }
}

/// The information file, as Ruby's Psych writes symbols.
fn information(version: &str, db_version: Option<&str>) -> String {
    let made = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S.%9f +00:00");
    let db_version =
        db_version.map_or_else(String::new, |version| format!(":db_version: '{version}'\n"));
    format!(
        "{db_version}:backup_created_at: {made}\n:gitlab_version: {version}\n:tar_version: ci-import {}\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// What was written.
struct Written {
    file: File,
    converted: Option<Converted>,
    /// What the dump program has said.
    said: Vec<String>,
    packed: Packed,
}

struct Writing<'a> {
    settings: &'a BackupSettings,
    source: &'a BackupSource,
    builds: &'a BuildsDirectory,
    progress: &'a Progress,
    cancellation: &'a Cancellation,
}

impl Writing<'_> {
    /// Writes the whole archive into `file`.
    fn all(&self, file: File, time: u64, trace_bytes: u64, information: &str) -> Result<Written> {
        let mut archive = BackupArchive::new(file, time, self.settings.limits.resources.jobs);
        let (converted, said) = self.dump(&mut archive)?;
        failpoint::reached("dump written");
        let meter = self
            .progress
            .member("packing the traces", trace_bytes, "traces");
        let packed = archive.traces(|out| {
            let (packed, _) = pack(self.builds, out, meter.counts(), self.cancellation)?;
            Ok(packed)
        })?;
        meter.complete();
        failpoint::reached("traces packed");
        let file = archive.finish(information)?;
        Ok(Written {
            file,
            converted,
            said,
            packed,
        })
    }

    /// Writes the dump: all tables as they are at one moment.
    fn dump(&self, archive: &mut BackupArchive) -> Result<(Option<Converted>, Vec<String>)> {
        let program = self.settings.source.dump_program(self.source)?;
        let meter = self
            .progress
            .member("dumping the database", self.source.bytes, "");
        let (dumping, output) = Dumping::start(program)?;
        let mut output = meter.watch(self.cancellation.watch_pipe(output));
        let written = if self.settings.mysql_to_postgresql {
            let settings = self.settings;
            let convert = |out| {
                let policies = settings.policies.for_tables(true);
                let input: (&'static str, &mut dyn Read) = (DATABASE, &mut output);
                convert_dump(input, out, true, policies, check_table, &settings.limits)
            };
            archive.compressed_dump(convert).map(Some)
        } else {
            archive.dump(|out| {
                std::io::copy(&mut output, out).doing("write the dump")?;
                Ok(None)
            })
        };
        match written {
            Ok(converted) => {
                let said = dumping.end()?;
                meter.complete();
                Ok((converted, said))
            }
            // What the program says of its failure explains more than a dump that ends too early.
            Err(error) if error.kind() == crate::error::Kind::Archive => {
                dumping.end()?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

fn changes_of((tables, notes, facts): Converted) -> Changes {
    let tables = tables
        .into_iter()
        .map(|written| (written.table.name, written.rows, written.tally));
    Changes {
        tables: tables.collect(),
        notes,
        facts,
    }
}

/// Reads the archive at `path` to its end: all tables are there, the dump is complete, and the traces are those that were
/// `packed`.
fn read_back(
    path: &Path,
    packed: &Packed,
    settings: &BackupSettings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Findings> {
    let source = Source::Path {
        path: PathBuf::from(path),
        wanted: None,
    };
    let limits = (u32::MAX, settings.limits.resources.dump);
    let found = inspect::run(&source, None, limits, progress, cancellation)?;
    let wrong = |what: String| Err(Error::failed(format!("the archive was read back: {what}")));
    let names: Vec<&str> = found.tables().map(|(name, _)| name).collect();
    if let Some(missing) = TABLES.iter().find(|name| !names.contains(name)) {
        return wrong(format!("it lacks the table {missing}"));
    }
    if !found.is_complete() {
        return wrong("the dump ends too early".to_owned());
    }
    let traces = found.trace_counts().unwrap_or_default();
    if traces != (packed.files, packed.bytes) {
        return wrong(format!(
            "it has {} traces of {} bytes instead of {} of {}",
            traces.0, traces.1, packed.files, packed.bytes
        ));
    }
    if found.version().is_none() {
        return wrong(format!("it lacks {INFORMATION}"));
    }
    Ok(found)
}
