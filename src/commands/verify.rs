//! `ci-import verify`: compares a live target with its archive or dump.

use super::destination::PreparedTarget;
use crate::archive;
use crate::cancellation::Cancellation;
use crate::cli::settings::VerifySettings;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::gitlab::content::Content;
use crate::gitlab::live::late_prefix;
use crate::input::locate::locate;
use crate::input::members::{DumpMember, TracesMember};
use crate::input::open::Input;
use crate::input::packing::unpacked;
use crate::pipeline::converter::Accept;
use crate::pipeline::reading::Dump;
use crate::schema::schemas_of;
use crate::server::Comparison;
use crate::server::Verifies;
use crate::traces::{self, Builds, LiveTraces, TraceFindings};
use crate::ui::progress::Progress;
use crate::verify::{ExpectedTable, Findings, Verifying};

/// Runs the comparison of `settings`. Changes nothing.
pub fn run(
    settings: &VerifySettings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Findings> {
    let located = locate(&settings.source)?;
    let input = Input::open(&located, progress, cancellation)?;
    let content = input.content();
    let destination = &settings.destination;
    if content.has_traces() {
        settings.policies.refuse_map()?;
    }
    // A converted dump is compared with or without the option.
    let asked = destination.asks(false, Content::Dump, &settings.policies)?;
    input.judge(asked)?;
    let ready = PreparedTarget::existing(destination, content.has_traces(), progress)?;
    let target = ready.target.verifies();
    let schema = target.schema(settings.schema.as_deref(), content)?;
    let live = match &ready.builds {
        Some(Builds::Prefix(_)) => target.live_prefix()?,
        _ => None,
    };
    let traces = ready.builds.as_ref();
    let traces = traces
        .map(|builds| builds.live(live.as_deref()))
        .transpose()?;
    let verification = Verification {
        settings,
        content,
        progress,
        cancellation,
    };
    let taken = input.take(
        cancellation,
        |member| verification.expected(target, asked, &schema, member),
        |member| verification.compare(traces.as_ref(), member),
    )?;
    let schemas = schemas_of(taken.dump.iter().map(|table| table.schema.as_deref()));
    let meter = progress.steps("reading the target");
    let compared = target.compare(Comparison {
        schema: &schema,
        expected: taken.dump,
        content,
        traces: traces.as_ref(),
        verifying: Verifying {
            jobs: settings.resources.jobs,
            counts: meter.counts(),
            cancellation,
        },
    })?;
    meter.complete();
    Ok(Findings {
        input: located.name(),
        target: ready.shown(),
        schema,
        schemas,
        tables: compared.tables,
        dropped: compared.dropped,
        traces: taken.traces,
        missing_taggings: compared.missing_taggings,
        without_trace: compared.without_trace,
    })
}

/// A running comparison.
struct Verification<'a> {
    settings: &'a VerifySettings,
    content: Content,
    progress: &'a Progress,
    cancellation: &'a Cancellation,
}

impl Verification<'_> {
    /// The tables of a dump that the target should have.
    fn expected(
        &self,
        target: &dyn Verifies,
        asked: Asked,
        schema: &str,
        member: DumpMember<'_>,
    ) -> Result<Vec<ExpectedTable>> {
        let meter = self
            .progress
            .member("reading the database", member.size, "rows");
        let reader = meter.watch(member.reader);
        let (packing, ratio) = (member.packing, self.settings.max_inflation);
        let dump = Dump {
            name: member.name,
            reader: &mut unpacked(reader, packing, ratio),
            asked,
            policies: self
                .settings
                .policies
                .for_tables(!self.content.known_tables().is_empty())
                .within(schema),
            accept: Accept::by(|_, _| Ok(())),
            late_prefix: Some(late_prefix),
            limits: self.settings.resources.dump,
        };
        let expected = target.expected(dump, &self.settings.resources, meter.counts())?;
        meter.complete();
        Ok(expected)
    }

    /// Compares the traces with the live ones.
    fn compare(
        &self,
        live: Option<&LiveTraces>,
        member: TracesMember<'_>,
    ) -> Result<TraceFindings> {
        let live = live.ok_or_else(|| Error::failed("no traces to compare with"))?;
        let meter = self
            .progress
            .member("comparing the traces", member.size, "traces");
        let compressed = meter.watch(member.reader);
        let mut inflated = archive::inflated_within(compressed, self.settings.max_inflation);
        let wanted = traces::Wanted {
            allow_truncated: self.settings.allow_truncated_traces,
            allow_none: self.settings.allow_no_traces,
            ..traces::Wanted::default()
        };
        let check = || self.cancellation.check();
        let counts = meter.counts();
        let findings = live.compare(&mut inflated, wanted, &check, counts)?;
        meter.complete();
        Ok(findings)
    }
}
