//! `ci-import verify`: compares a live target with the archive or dump it was made from.

use std::io::Read;

use crate::archive;
use crate::convert::Converter;
use crate::error::{Error, Result};
use crate::gitlab::live::late_prefix;
use crate::gitlab::tags::missing_taggings;
use crate::halt::Halt;
use crate::import::Ready;
use crate::input::{Asked, Input, check_dialect};
use crate::members::{Takes, take_members};
use crate::progress::Progress;
use crate::publish::current_schema;
use crate::read_dump::read_dump;
use crate::settings::VerifySettings;
use crate::traces::{self, BuildsDirectory, TraceFindings};
use crate::verify::{Expected, ExpectedTable, Findings, verify_tables};

/// Compares what `settings` name; nothing is changed.
pub fn run(settings: &VerifySettings, progress: &Progress, halt: &Halt) -> Result<Findings> {
    let input = Input::open(&settings.source, halt)?;
    let is_archive = input.is_archive();
    input.judge(Asked::Either)?;
    let ready = Ready::existing(&settings.destination, is_archive, progress)?;
    let mut client = ready.target.connect()?;
    let schema = match &settings.schema {
        Some(schema) => schema.clone(),
        None if is_archive => current_schema(&mut client)?,
        None => crate::import::DEFAULT_SCHEMA.to_owned(),
    };
    let reader = Comparer {
        settings,
        builds: ready.builds.as_ref(),
        progress,
        halt,
    };
    let taken = take_members(input, &reader, halt)?;
    progress.step("reading the target");
    let jobs = settings.resources.jobs;
    let tables = verify_tables(&ready.target, jobs, &schema, &taken.database, halt)?;
    let missing_taggings = if is_archive {
        missing_taggings(&mut client, &schema)?
    } else {
        None
    };
    Ok(Findings {
        input: settings.source.name(),
        target: ready.shown(),
        schema,
        tables,
        traces: taken.builds,
        missing_taggings,
    })
}

/// Reads an archive for what its target should have.
struct Comparer<'a> {
    settings: &'a VerifySettings,
    builds: Option<&'a BuildsDirectory>,
    progress: &'a Progress,
    halt: &'a Halt,
}

impl Takes for Comparer<'_> {
    type Database = Vec<ExpectedTable>;
    type Builds = TraceFindings;

    fn database(
        &self,
        name: &'static str,
        reader: &mut dyn Read,
        compressed: bool,
        size: u64,
    ) -> Result<Vec<ExpectedTable>> {
        let meter = self.progress.member("reading the database", size);
        let policies = self.settings.policies.clone();
        let database = policies.database.clone();
        let expected = Expected::start(&self.settings.resources);
        let accept = Box::new(|_: &str| Ok(()));
        let converter = Converter::new(expected, policies, accept).hashing(late_prefix);
        let mut reader = meter.watch(self.halt.watch(reader));
        let judge = |start: &[u8]| check_dialect(start, Asked::Either).map(drop);
        let (converter, _) = if compressed {
            let mut inflated = archive::inflated(reader);
            read_dump(name, &mut inflated, converter, database, judge)?
        } else {
            read_dump(name, &mut reader, converter, database, judge)?
        };
        converter.sink.finish().map_err(|error| error.at(name))
    }

    fn builds(&self, reader: &mut dyn Read, size: u64) -> Result<TraceFindings> {
        let builds = self
            .builds
            .ok_or_else(|| Error::failed("no builds directory to compare with"))?;
        let meter = self.progress.member("comparing the traces", size);
        let mut inflated = archive::inflated(meter.watch(self.halt.watch(reader)));
        traces::compare(&mut inflated, builds.path())
    }
}
