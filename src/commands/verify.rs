//! `ci-import verify`: compares a live target with the archive or dump it was made from.

use std::io::Read;

use super::destination::Ready;
use crate::archive::{self, Compression};
use crate::cancellation::Halt;
use crate::cli::settings::VerifySettings;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::gitlab::live::late_prefix;
use crate::input::locate::locate;
use crate::input::members::{Takes, take_members};
use crate::input::open::Input;
use crate::pipeline::reading::Dump;
use crate::server::{Comparison, Expects};
use crate::traces::{self, BuildsDirectory, TraceFindings};
use crate::ui::progress::Progress;
use crate::verify::{ExpectedTable, Findings};

/// Compares what `settings` name; nothing is changed.
pub fn run(settings: &VerifySettings, progress: &Progress, halt: &Halt) -> Result<Findings> {
    let located = locate(&settings.source)?;
    let input = Input::open(&located, halt)?;
    let is_archive = input.is_archive();
    let destination = &settings.destination;
    let asked = destination.asks(false, true, &settings.policies)?;
    input.judge(asked)?;
    let ready = Ready::existing(destination, is_archive, progress)?;
    let target = ready.target.expects();
    let schema = target.schema(settings.schema.as_deref(), is_archive)?;
    let reader = Comparer {
        settings,
        target,
        asked,
        builds: ready.builds.as_ref(),
        progress,
        halt,
    };
    let taken = take_members(input, &reader, halt)?;
    progress.step("reading the target");
    let compared = target.compare(Comparison {
        schema: &schema,
        expected: taken.database,
        is_archive,
        jobs: settings.resources.jobs,
        halt,
    })?;
    Ok(Findings {
        input: located.name(),
        target: ready.shown(),
        schema,
        tables: compared.tables,
        dropped: compared.dropped,
        traces: taken.builds,
        missing_taggings: compared.missing_taggings,
    })
}

/// Reads an archive for what its target should have.
struct Comparer<'a> {
    settings: &'a VerifySettings,
    target: &'a dyn Expects,
    asked: Asked,
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
        compression: Compression,
        size: u64,
    ) -> Result<Vec<ExpectedTable>> {
        let meter = self.progress.member("reading the database", size);
        let reader = meter.watch(self.halt.watch(reader));
        let ratio = self.settings.max_inflation;
        let mut inflated = archive::decompressed_within(reader, compression, ratio);
        let dump = Dump {
            name,
            reader: &mut inflated,
            asked: self.asked,
            policies: self.settings.policies.clone(),
            accept: Box::new(|_: &str| Ok(())),
            late_prefix: Some(late_prefix),
        };
        self.target.expected(dump, &self.settings.resources)
    }

    fn builds(&self, reader: &mut dyn Read, size: u64) -> Result<TraceFindings> {
        let builds = self
            .builds
            .ok_or_else(|| Error::failed("no builds directory to compare with"))?;
        let meter = self.progress.member("comparing the traces", size);
        let compressed = meter.watch(self.halt.watch(reader));
        let mut inflated = archive::inflated_within(compressed, self.settings.max_inflation);
        traces::compare(&mut inflated, builds.path())
    }
}
