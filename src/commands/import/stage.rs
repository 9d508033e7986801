//! Stages the input: the database, and the traces of an archive. Nobody sees the staged data.

use super::context::Import;
use super::encrypted::EncryptedValues;
use super::prepare::{OpenedInput, Prepared};
use crate::archive;
use crate::commands::kept::drop_kept;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::gitlab::information::Information;
use crate::gitlab::live::late_prefix;
use crate::input::members::{DumpMember, TracesMember};
use crate::input::packing::unpacked;
use crate::pipeline::loaded::LoadedDump;
use crate::pipeline::reading::Dump;
use crate::server::{Loading, Loads, LockedTarget};
use crate::traces::{self, Builds, StagedTraces, TraceSummary};
use crate::ui::terminal;
use crate::verify::depth::Depth;

/// The staged data, and what is known about it.
pub(super) struct Staged {
    pub(super) information: Option<Information>,
    pub(super) dump: LoadedDump,
    pub(super) traces: TraceSummary,
    /// Where the staged traces are.
    pub(super) place: Option<StagedTraces>,
    /// The encrypted values, after they were counted.
    pub(super) encrypted: EncryptedValues,
    /// What identifies the input, after that was found out.
    pub(super) identity: Option<String>,
}

impl Staged {
    /// Leaves the traces where they are in an object storage, after a publish of which nobody knows how it ended. Those in
    /// directories are known to the journal.
    pub(super) fn left(self, error: Error) -> Error {
        match self.place {
            Some(StagedTraces::Prefix(mut prefix)) => {
                prefix.published();
                error.adding(&format!("; its traces stay in {}", prefix.url()))
            }
            _ => error,
        }
    }
}

impl Import<'_> {
    /// Creates the staging, and fills it.
    pub(super) fn stage(
        &self,
        target: &mut dyn LockedTarget,
        opened: OpenedInput<'_>,
        prepared: &Prepared,
    ) -> Result<Staged> {
        let builds = self.destination.builds.as_ref();
        if let Some(kept) = drop_kept(target, builds)? {
            terminal::say(&format!("ci-import: dropped {}", kept.told()));
        }
        target.make_staging()?;
        failpoint::reached("staging schema made");
        let place = builds.map(Builds::stage).transpose()?;
        let (loads, asked) = (target.loads(), opened.asked);
        let taken = opened.input.take(
            self.cancellation,
            |member| self.load(&*loads, asked, prepared, member),
            |member| self.unpack(place.as_ref(), member),
        )?;
        Ok(Staged {
            information: opened.information.or(taken.information),
            dump: taken.dump,
            traces: taken.traces.unwrap_or_default(),
            place,
            encrypted: EncryptedValues::default(),
            identity: None,
        })
    }

    fn load(
        &self,
        loads: &dyn Loads,
        asked: Asked,
        prepared: &Prepared,
        member: DumpMember<'_>,
    ) -> Result<LoadedDump> {
        let settings = self.settings;
        let meter = self
            .progress
            .member("loading the database", member.size, "rows");
        let _in = meter.enter();
        let reader = meter.watch(member.reader);
        let (packing, ratio) = (member.packing, settings.max_inflation);
        let is_hashed = settings.verify == Depth::Full;
        let is_known = !self.content.known_tables().is_empty();
        let policies = settings.policies.for_tables(is_known);
        let policies = policies.within(&prepared.live.schema);
        let loaded = loads.load(Loading {
            dump: Dump {
                name: member.name,
                reader: &mut unpacked(reader, packing, ratio),
                asked,
                accept: prepared.accept(self.content, &policies.map),
                policies,
                late_prefix: is_hashed.then_some(late_prefix),
                limits: settings.resources.dump,
            },
            resources: &settings.resources,
            counts: meter.counts(),
            cancellation: self.cancellation,
        })?;
        meter.complete();
        Ok(loaded)
    }

    fn unpack(
        &self,
        place: Option<&StagedTraces>,
        member: TracesMember<'_>,
    ) -> Result<TraceSummary> {
        let place = place.ok_or_else(|| Error::failed("no place for the traces"))?;
        let settings = self.settings;
        let meter = self
            .progress
            .member("unpacking the traces", member.size, "traces");
        let _in = meter.enter();
        let compressed = meter.watch(member.reader);
        let mut inflated = archive::inflated_within(compressed, settings.max_inflation);
        let wanted = traces::Wanted {
            allow_truncated: settings.allow_truncated_traces,
            allow_none: settings.allow_no_traces,
            digest: settings.verify == Depth::Full,
            ignore_room: settings.no_space_check,
        };
        let (resources, cancellation) = (&settings.resources, self.cancellation);
        let counts = meter.counts();
        let summary = place.fill(&mut inflated, resources, wanted, counts, cancellation)?;
        meter.complete();
        Ok(summary)
    }
}
