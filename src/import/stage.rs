//! Stages what the input holds: the database, and of an archive the traces.

use std::io::Read;

use crate::archive::{self, DATABASE};
use crate::convert::{Accept, Converter};
use crate::dump::Facts;
use crate::error::{Error, Result};
use crate::gitlab::live::late_prefix;
use crate::halt::Halt;
use crate::input::{Asked, check_dialect};
use crate::load::{LoadedTable, Loader, Owner, Target};
use crate::members::Takes;
use crate::progress::Progress;
use crate::read_dump::read_dump;
use crate::schema::Note;
use crate::settings::Settings;
use crate::traces::{self, StagedDirectory, TraceSummary};
use crate::verify::Depth;

/// Stages an input.
pub(super) struct Stager<'a> {
    pub(super) settings: &'a Settings,
    pub(super) target: &'a Target,
    /// Who holds the target's lock.
    pub(super) owner: Owner,
    /// Where traces go; an archive needs it.
    pub(super) directory: Option<&'a StagedDirectory>,
    /// Judges the names of tables; each dump takes its own.
    pub(super) accept: &'a (dyn Fn() -> Accept + Sync),
    pub(super) progress: &'a Progress,
    pub(super) halt: &'a Halt,
}

/// What came of the dump.
pub(super) struct StagedDatabase {
    pub(super) tables: Vec<LoadedTable>,
    pub(super) notes: Vec<Note>,
    pub(super) facts: Facts,
}

impl Takes for Stager<'_> {
    type Database = StagedDatabase;
    type Builds = TraceSummary;

    fn database(
        &self,
        name: &'static str,
        reader: &mut dyn Read,
        compressed: bool,
        size: u64,
    ) -> Result<StagedDatabase> {
        let meter = self.progress.member("loading the database", size);
        let loader = Loader::start(self.target, self.owner, &self.settings.resources)?;
        let policies = self.settings.policies.clone();
        let database = policies.database.clone();
        let mut converter = Converter::new(loader, policies, (self.accept)());
        if self.settings.verify == Depth::Full {
            converter = converter.hashing(late_prefix);
        }
        let mut reader = meter.watch(self.halt.watch(reader));
        let is_plain_dump = name != DATABASE;
        let asked = Asked::by_option(self.settings.mysql_to_postgresql, is_plain_dump);
        let judge = |start: &[u8]| check_dialect(start, asked).map(drop);
        let (converter, facts) = if compressed {
            let mut inflated = archive::inflated_within(reader, self.settings.max_inflation);
            read_dump(name, &mut inflated, converter, database, judge)?
        } else {
            read_dump(name, &mut reader, converter, database, judge)?
        };
        meter.read("completing the indexes");
        let Converter { sink, notes, .. } = converter;
        let tables = sink
            .finish(&|| self.halt.is_stopped())
            .map_err(|error| error.at(name))?;
        Ok(StagedDatabase {
            tables,
            notes,
            facts,
        })
    }

    fn builds(&self, reader: &mut dyn Read, size: u64) -> Result<TraceSummary> {
        let directory = self
            .directory
            .ok_or_else(|| Error::failed("no place for the traces"))?;
        let meter = self.progress.member("unpacking the traces", size);
        let settings = self.settings;
        let compressed = meter.watch(self.halt.watch(reader));
        let mut inflated = archive::inflated_within(compressed, settings.max_inflation);
        let wanted = traces::Wanted {
            allow_truncated: settings.allow_truncated_traces,
            digest: settings.verify == Depth::Full,
            ignore_room: settings.no_space_check,
        };
        traces::extract(&mut inflated, directory, &settings.resources, wanted)
    }
}
