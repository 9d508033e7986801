//! Stages what the input holds: the database, and of an archive the traces.

use std::io::Read;

use crate::archive::{self, ArchiveFile, DATABASE, Member, Visitor};
use crate::convert::{Accept, Converter};
use crate::dump::Facts;
use crate::error::{Error, Result};
use crate::gitlab::information::{self, Information};
use crate::halt::Halt;
use crate::input::{Input, check_dialect};
use crate::load::{LoadedTable, Loader, Target};
use crate::progress::Progress;
use crate::read_dump::read_dump;
use crate::schema::Note;
use crate::settings::Settings;
use crate::traces::{self, StagedDirectory, TraceSummary};

/// What was staged, and what is known of it.
#[derive(Default)]
pub(super) struct Staged {
    pub(super) information: Option<Information>,
    pub(super) tables: Vec<LoadedTable>,
    pub(super) notes: Vec<Note>,
    pub(super) facts: Facts,
    pub(super) traces: TraceSummary,
}

/// Stages an input.
pub(super) struct Stager<'a> {
    pub(super) settings: &'a Settings,
    pub(super) target: &'a Target,
    /// Where traces go; an archive needs it.
    pub(super) directory: Option<&'a StagedDirectory>,
    /// Judges the names of tables; each dump takes its own.
    pub(super) accept: &'a (dyn Fn() -> Accept + Sync),
    pub(super) progress: &'a Progress,
    pub(super) halt: &'a Halt,
    pub(super) staged: Staged,
}

/// What came of the dump.
type LoadedDump = (Vec<LoadedTable>, Vec<Note>, Facts);

impl Stager<'_> {
    /// Stages all of `input`: database and traces at the same time from a file, in turn from a
    /// pipe.
    pub(super) fn stage(&mut self, input: Input<'_>) -> Result<()> {
        let halt = self.halt;
        match input {
            Input::ArchiveFile(file) => self.file(&file),
            Input::ArchivePipe(pipe) => {
                let limit = information::MAX_BYTES;
                halt.guard(|| archive::read_pipe(halt.watch(pipe), self, limit))
            }
            Input::Dump {
                reader,
                compressed,
                size,
            } => {
                let loaded = halt.guard(|| self.load("the dump", reader, compressed, size))?;
                (self.staged.tables, self.staged.notes, self.staged.facts) = loaded;
                Ok(())
            }
        }
    }

    fn file(&mut self, file: &ArchiveFile) -> Result<()> {
        let (database, builds) = (file.open(Member::Database), file.open(Member::Builds));
        let (database_size, builds_size) = (database.remaining(), builds.remaining());
        let stager = &*self;
        let (loaded, traces) = std::thread::scope(|scope| {
            let unpacking =
                scope.spawn(move || stager.halt.guard(|| stager.unpack(builds, builds_size)));
            let loaded = stager
                .halt
                .guard(|| stager.load(DATABASE, database, true, database_size));
            let traces = unpacking.join();
            (
                loaded,
                traces.unwrap_or_else(|_| Err(Error::failed("unpacking the traces crashed"))),
            )
        });
        // Whichever failed first is the cause; `guard` returns it from both.
        (self.staged.tables, self.staged.notes, self.staged.facts) = loaded?;
        self.staged.traces = traces?;
        Ok(())
    }

    /// Loads the dump that `reader` holds; `name` is what errors call it.
    fn load(
        &self,
        name: &'static str,
        reader: impl Read,
        compressed: bool,
        size: u64,
    ) -> Result<LoadedDump> {
        let meter = self.progress.member("loading the database", size);
        let loader = Loader::start(self.target, &self.settings.resources)?;
        let policies = self.settings.policies.clone();
        let database = policies.database.clone();
        let converter = Converter::new(loader, policies, (self.accept)());
        let mut reader = meter.watch(self.halt.watch(reader));
        let is_plain_dump = name != DATABASE;
        let judge =
            |start: &[u8]| check_dialect(start, is_plain_dump || self.settings.mysql_to_postgresql);
        let (converter, facts) = if compressed {
            let mut inflated = archive::inflated(reader);
            read_dump(name, &mut inflated, converter, database, judge)?
        } else {
            read_dump(name, &mut reader, converter, database, judge)?
        };
        meter.read("completing the indexes");
        let Converter { sink, notes, .. } = converter;
        let tables = sink
            .finish(&|| self.halt.is_stopped())
            .map_err(|error| error.at(name))?;
        Ok((tables, notes, facts))
    }

    /// Unpacks the traces that `compressed` holds.
    fn unpack(&self, compressed: impl Read, size: u64) -> Result<TraceSummary> {
        let directory = self
            .directory
            .ok_or_else(|| Error::failed("no place for the traces"))?;
        let meter = self.progress.member("unpacking the traces", size);
        let mut inflated = archive::inflated(meter.watch(self.halt.watch(compressed)));
        traces::extract(
            &mut inflated,
            directory,
            &self.settings.resources,
            self.settings.allow_truncated_traces,
        )
    }
}

impl Visitor for Stager<'_> {
    fn database(&mut self, reader: &mut dyn Read, size: u64) -> Result<()> {
        let loaded = self.load(DATABASE, reader, true, size)?;
        (self.staged.tables, self.staged.notes, self.staged.facts) = loaded;
        Ok(())
    }

    fn builds(&mut self, reader: &mut dyn Read, size: u64) -> Result<()> {
        self.staged.traces = self.unpack(reader, size)?;
        Ok(())
    }

    fn information(&mut self, content: &[u8]) -> Result<()> {
        self.staged.information = Some(information::parse(content)?);
        Ok(())
    }
}
