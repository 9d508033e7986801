//! Stages what the input holds: the database, and of an archive the traces.

use std::io::Read;

use crate::archive::{self, Compression};
use crate::cancellation::Halt;
use crate::cli::settings::Settings;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::gitlab::live::late_prefix;
use crate::input::members::Takes;
use crate::pipeline::converter::Accept;
use crate::pipeline::loaded::LoadedDump;
use crate::pipeline::reading::Dump;
use crate::server::{Loading, Loads};
use crate::traces::{self, StagedDirectory, TraceSummary};
use crate::ui::progress::Progress;
use crate::verify::Depth;

/// Stages an input.
pub(super) struct Stager<'a> {
    pub(super) settings: &'a Settings,
    /// Which dumps can go there.
    pub(super) asked: Asked,
    /// Where the database goes.
    pub(super) loads: &'a dyn Loads,
    /// Where traces go; an archive needs it.
    pub(super) directory: Option<&'a StagedDirectory>,
    /// Judges the names of tables; each dump takes its own.
    pub(super) accept: &'a (dyn Fn() -> Accept + Sync),
    pub(super) progress: &'a Progress,
    pub(super) halt: &'a Halt,
}

impl Takes for Stager<'_> {
    type Database = LoadedDump;
    type Builds = TraceSummary;

    fn database(
        &self,
        name: &'static str,
        reader: &mut dyn Read,
        compression: Compression,
        size: u64,
    ) -> Result<LoadedDump> {
        let settings = self.settings;
        let meter = self.progress.member("loading the database", size);
        let reader = meter.watch(self.halt.watch(reader));
        let ratio = settings.max_inflation;
        let mut inflated = archive::decompressed_within(reader, compression, ratio);
        let is_hashed = settings.verify == Depth::Full;
        self.loads.load(Loading {
            dump: Dump {
                name,
                reader: &mut inflated,
                asked: self.asked,
                policies: settings.policies.clone(),
                accept: (self.accept)(),
                late_prefix: is_hashed.then_some(late_prefix),
            },
            resources: &settings.resources,
            when_read: &|| meter.read("completing the indexes"),
            halt: self.halt,
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
