//! Wires the rooms together: archive, dump, conversion, load, traces, publish. The only place
//! that knows all of them.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::Path;
use std::sync::mpsc::{channel, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::archive::{self, ArchiveFile, DATABASE, Member, Visitor};
use crate::convert::Converter;
use crate::dump::{Dialect, Facts, Reader, detect};
use crate::error::{Error, Result};
use crate::gitlab::information::{self, Information};
use crate::gitlab::live::{self, LiveChanges};
use crate::gitlab::tables::{TABLES, check_table};
use crate::halt::Halt;
use crate::load::{LoadedTable, Loader, Staging, Target};
use crate::policies::Policies;
use crate::private_server::PrivateServer;
use crate::progress::Progress;
use crate::publish::{Live, PREVIOUS_SCHEMA, Publication, Published, examine, publish};
use crate::report::Report;
use crate::schema::Note;
use crate::settings::{Destination, Settings, Source};
use crate::traces::{self, BuildsDirectory, StagedDirectory, TraceSummary};

/// How many inflated blocks may wait for the scanner.
const BLOCKS_IN_FLIGHT: usize = 4;

/// How much of a dump is looked at to see who wrote it.
const DIALECT_BYTES: usize = 64 * 1024;

/// Does the whole import; the report is of what was published.
pub fn run(settings: &Settings, progress: &Progress, halt: &Halt) -> Result<Report> {
    let started = Instant::now();
    let input = Input::open(&settings.source)?;
    let known = input.judge(settings)?;
    let destination = Ready::prepare(&settings.destination, progress)?;
    let mut staging = Staging::lock(&destination.target)?;
    let live = examine(staging.client(), &TABLES)?;
    confirm(settings, &live, &destination)?;
    staging.make()?;
    let mut staged = destination.builds.stage(&unique_suffix())?;
    let mut imported = stage(input, known, settings, &staging, &staged, progress, halt)?;
    imported.check()?;
    halt.check()?;
    progress.step("publishing");
    let published = publish_all(&mut staging, &live, &imported, &destination, &staged)?;
    staging.published();
    staged.published();
    Ok(Report {
        archive: settings.source.name(),
        information: imported.information.ok_or_else(no_information)?,
        written_by: imported.facts.written_by.take(),
        target: destination.shown(),
        tables: imported.tables,
        notes: imported.notes,
        left_out: imported.facts.left_out,
        noise: imported.facts.noise,
        traces: imported.traces,
        builds: destination.builds.path().to_owned(),
        replaced: published.replaced,
        previous_builds: published.previous_builds,
        live: published.finished,
        elapsed: started.elapsed(),
        connect: destination.private.as_ref().map(PrivateRun::how_to_connect),
    })
}

impl Source {
    fn name(&self) -> String {
        match self {
            Source::Stdin => "the archive from standard input".to_owned(),
            Source::Path(path) => path
                .file_name()
                .unwrap_or(path.as_os_str())
                .display()
                .to_string(),
        }
    }
}

/// The archive, opened.
enum Input {
    /// Its members can be read at will, several at a time.
    File(ArchiveFile),
    /// Its members come once, in order.
    Pipe(Box<dyn Read>),
}

impl Input {
    fn open(source: &Source) -> Result<Input> {
        let Source::Path(path) = source else {
            return Ok(Input::Pipe(Box::new(std::io::stdin())));
        };
        let metadata = std::fs::metadata(path).map_err(|cause| cannot_read(path, &cause))?;
        if metadata.is_dir() {
            return Err(Error::usage(format!(
                "{} is a directory, not an archive",
                path.display()
            )));
        }
        if metadata.is_file() {
            return Ok(Input::File(archive::index(path)?));
        }
        let file = std::fs::File::open(path).map_err(|cause| cannot_read(path, &cause))?;
        Ok(Input::Pipe(Box::new(file)))
    }

    /// Judges what can be known before anything is touched: of a file its version and dialect, of
    /// a pipe nothing.
    fn judge(&self, settings: &Settings) -> Result<Option<Information>> {
        let Input::File(file) = self else {
            return Ok(None);
        };
        let content = file.read_small(Member::Information, information::MAX_BYTES)?;
        let information = information::parse(&content)?;
        information.check_version()?;
        let mut start = vec![0; DIALECT_BYTES];
        let mut inflated = archive::inflated(file.open(Member::Database));
        let count = archive::read_block(&mut inflated, &mut start)
            .map_err(|cause| archive::read_failure(DATABASE, 0, &cause))?;
        check_dialect(&start[..count], settings)?;
        Ok(Some(information))
    }
}

fn cannot_read(path: &Path, cause: &std::io::Error) -> Error {
    Error::usage(format!("cannot read {}: {cause}", path.display()))
}

fn check_dialect(start: &[u8], settings: &Settings) -> Result<()> {
    let refused = match detect(start) {
        Some(Dialect::Mysql) if settings.mysql_to_postgresql => return Ok(()),
        Some(Dialect::Mysql) => {
            Error::usage("the dump was made by MySQL, but the target is PostgreSQL")
                .hint("add --mysql-to-postgresql to convert it")
        }
        Some(Dialect::Postgresql) => {
            Error::usage("the dump was made by pg_dump; dumps of PostgreSQL are not supported yet")
        }
        Some(Dialect::ConvertedMysql) => Error::usage(
            "the dump was converted by GitLab CI; converted dumps are not supported yet",
        )
        .hint("make the backup without MYSQL_TO_POSTGRESQL=1, and convert it here"),
        None => Error::archive("it is no dump of MySQL, MariaDB or PostgreSQL"),
    };
    Err(refused.at(DATABASE))
}

/// The destination, ready to be imported into.
struct Ready {
    target: Target,
    builds: BuildsDirectory,
    private: Option<PrivateRun>,
}

/// The private server for as long as the import needs it; it is stopped at the end if it was
/// started here.
struct PrivateRun {
    server: PrivateServer,
    started: bool,
}

impl PrivateRun {
    fn how_to_connect(&self) -> String {
        let server = &self.server;
        let is_default = *server.directory()
            == PrivateServer::default_directory(|name| std::env::var(name).ok());
        let option = if is_default {
            String::new()
        } else {
            format!(" --private-dir {}", server.directory().display())
        };
        let url = server.url();
        format!(
            "to look at it:      ci-import private psql{option}\n\
             to keep it running: ci-import private start{option}\n\
             then connect to     {url}"
        )
    }
}

impl Drop for PrivateRun {
    fn drop(&mut self) {
        if self.started
            && let Err(error) = self.server.stop()
        {
            eprintln!("ci-import: warning: the private server still runs: {error}");
        }
    }
}

impl Ready {
    fn prepare(destination: &Destination, progress: &Progress) -> Result<Ready> {
        match destination {
            Destination::Named { target, builds } => Ok(Ready {
                target: (**target).clone(),
                builds: BuildsDirectory::at(builds)?,
                private: None,
            }),
            Destination::Private { directory, builds } => {
                let server = PrivateServer::at(directory)?;
                progress.step(&format!(
                    "starting the private PostgreSQL in {}",
                    directory.display()
                ));
                let started = server.start()?;
                let run = PrivateRun { server, started };
                let beside = run.server.builds();
                Ok(Ready {
                    target: run.server.target(),
                    builds: BuildsDirectory::at(builds.as_ref().unwrap_or(&beside))?,
                    private: Some(run),
                })
            }
        }
    }

    fn shown(&self) -> String {
        match &self.private {
            None => self.target.to_string(),
            Some(run) => format!(
                "the private PostgreSQL in {}",
                run.server.directory().display()
            ),
        }
    }
}

/// Asks whether existing data may be replaced, if there are any.
fn confirm(settings: &Settings, live: &Live, destination: &Ready) -> Result<()> {
    let mut replaced = Vec::new();
    if !live.with_rows.is_empty() {
        replaced.push(format!("the tables {}", live.with_rows.join(", ")));
    }
    if destination.builds.has_content()? {
        replaced.push(format!(
            "the build traces in {}",
            destination.builds.path().display()
        ));
    }
    if settings.yes || replaced.is_empty() {
        return Ok(());
    }
    let replaced = replaced.join(" and ");
    let target = destination.shown();
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(
            Error::usage(format!("{target} has CI data already: {replaced}"))
                .hint("add --yes to replace them; they are kept aside"),
        );
    }
    let mut question =
        format!("{target} has CI data already.\nReplace {replaced}?\nThey are kept aside");
    if live.has_previous {
        question +=
            &format!("; the tables in {PREVIOUS_SCHEMA}, of the import before, are dropped");
    }
    eprint!("{question}. [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Error::failed("not confirmed; nothing was touched"))
}

/// What was staged, and what is known of it.
#[derive(Default)]
struct Imported {
    information: Option<Information>,
    tables: Vec<LoadedTable>,
    notes: Vec<Note>,
    facts: Facts,
    traces: TraceSummary,
}

impl Imported {
    /// What must hold before anything is published.
    fn check(&self) -> Result<()> {
        self.information
            .as_ref()
            .ok_or_else(no_information)?
            .check_version()?;
        if self.tables.is_empty() {
            return Err(Error::archive("it holds no table of GitLab CI").at(DATABASE));
        }
        Ok(())
    }
}

fn no_information() -> Error {
    Error::archive(format!(
        "the archive has no member {}",
        archive::INFORMATION
    ))
}

/// Stages the database and the traces: at the same time from a file, in turn from a pipe.
fn stage(
    input: Input,
    information: Option<Information>,
    settings: &Settings,
    staging: &Staging,
    staged: &StagedDirectory,
    progress: &Progress,
    halt: &Halt,
) -> Result<Imported> {
    let mut stage = Stager {
        settings,
        target: staging.target(),
        staged,
        progress,
        halt,
        imported: Imported {
            information,
            ..Imported::default()
        },
    };
    match input {
        Input::File(file) => stage.file(&file)?,
        Input::Pipe(pipe) => {
            halt.guard(|| {
                archive::read_pipe(halt.watch(pipe), &mut stage, information::MAX_BYTES)
            })?;
        }
    }
    Ok(stage.imported)
}

struct Stager<'a> {
    settings: &'a Settings,
    target: &'a Target,
    staged: &'a StagedDirectory,
    progress: &'a Progress,
    halt: &'a Halt,
    imported: Imported,
}

/// What came of the dump.
type LoadedDump = (Vec<LoadedTable>, Vec<Note>, Facts);

impl Stager<'_> {
    fn file(&mut self, file: &ArchiveFile) -> Result<()> {
        let (database, builds) = (file.open(Member::Database), file.open(Member::Builds));
        let (database_size, builds_size) = (database.remaining(), builds.remaining());
        let stager = &*self;
        let (loaded, traces) = std::thread::scope(|scope| {
            let unpacking =
                scope.spawn(move || stager.halt.guard(|| stager.unpack(builds, builds_size)));
            let loaded = stager.halt.guard(|| stager.load(database, database_size));
            let traces = unpacking.join();
            (
                loaded,
                traces.unwrap_or_else(|_| Err(Error::failed("unpacking the traces crashed"))),
            )
        });
        // Whichever failed first is the cause; `guard` returns it from both.
        (
            self.imported.tables,
            self.imported.notes,
            self.imported.facts,
        ) = loaded?;
        self.imported.traces = traces?;
        Ok(())
    }

    /// Loads the dump that `compressed` holds.
    fn load(&self, compressed: impl Read, size: u64) -> Result<LoadedDump> {
        let meter = self.progress.member("loading the database", size);
        let loader = Loader::start(self.target, self.settings.jobs)?;
        let mut inflated = archive::inflated(meter.watch(self.halt.watch(compressed)));
        let (converter, facts) = self.convert(&mut inflated, loader)?;
        meter.read("completing the indexes");
        let Converter { sink, notes, .. } = converter;
        let tables = sink.finish().map_err(|error| error.at(DATABASE))?;
        Ok((tables, notes, facts))
    }

    /// Reads the dump here, and scans and converts it in a thread of its own.
    fn convert(
        &self,
        inflated: &mut dyn Read,
        loader: Loader,
    ) -> Result<(Converter<Loader>, Facts)> {
        let (blocks, scanned) = sync_channel::<Vec<u8>>(BLOCKS_IN_FLIGHT);
        let (give_back, spare) = channel();
        std::thread::scope(|scope| {
            let scanning = scope.spawn(move || {
                let mut reader = Reader::new(
                    Converter::new(loader, Policies::default(), Box::new(check_table)),
                    None,
                );
                for block in scanned {
                    reader.feed(&block)?;
                    let _ = give_back.send(block);
                }
                Ok(reader)
            });
            let mut is_first = true;
            let read = archive::for_each_block(DATABASE, inflated, |block| {
                if std::mem::take(&mut is_first) {
                    check_dialect(&block[..block.len().min(DIALECT_BYTES)], self.settings)?;
                }
                let taken = blocks.send(block).is_ok();
                // If the scanner has stopped, its own error says why.
                taken
                    .then(|| spare.try_recv().ok())
                    .ok_or_else(|| Error::failed("stopped"))
            });
            drop(blocks);
            let reader = scanning
                .join()
                .unwrap_or_else(|_| Err(Error::failed("scanning the dump crashed")));
            let reader = reader.map_err(|error: Error| error.at(DATABASE))?;
            if read? == 0 {
                return Err(Error::archive("it is empty").at(DATABASE));
            }
            reader.finish().map_err(|error| error.at(DATABASE))
        })
    }

    /// Unpacks the traces that `compressed` holds.
    fn unpack(&self, compressed: impl Read, size: u64) -> Result<TraceSummary> {
        let meter = self.progress.member("unpacking the traces", size);
        let mut inflated = archive::inflated(meter.watch(self.halt.watch(compressed)));
        traces::extract(&mut inflated, self.staged, self.settings.jobs)
    }
}

impl Visitor for Stager<'_> {
    fn database(&mut self, reader: &mut dyn Read, size: u64) -> Result<()> {
        (
            self.imported.tables,
            self.imported.notes,
            self.imported.facts,
        ) = self.load(reader, size)?;
        Ok(())
    }

    fn builds(&mut self, reader: &mut dyn Read, size: u64) -> Result<()> {
        self.imported.traces = self.unpack(reader, size)?;
        Ok(())
    }

    fn information(&mut self, content: &[u8]) -> Result<()> {
        self.imported.information = Some(information::parse(content)?);
        Ok(())
    }
}

fn publish_all(
    staging: &mut Staging,
    live: &Live,
    imported: &Imported,
    destination: &Ready,
    staged: &StagedDirectory,
) -> Result<Published<LiveChanges>> {
    let tables: Vec<&str> = imported
        .tables
        .iter()
        .map(|loaded| loaded.table.name.as_str())
        .collect();
    let publication = Publication {
        schema: &live.schema,
        tables: &tables,
        builds: &destination.builds,
        staged,
    };
    publish(
        staging.client(),
        &publication,
        &mut live::disable_ci,
        &mut live::finish,
    )
}

/// Keeps the staging directories of different imports apart.
fn unique_suffix() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    format!("{}.{}", now.as_secs(), std::process::id())
}
