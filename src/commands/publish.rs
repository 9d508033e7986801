//! `ci-import publish`: makes live what an import has kept, because others held the live tables.

use std::time::Instant;

use super::import::loaded::Loaded;
use super::import::report::Report;
use super::import::reported::Reported;
use super::import::unpublished;
use super::kept::HOW_TO_PUBLISH;
use super::locked_for_change::{LockedForChange, lock_recovered};
use super::publishing::Publishing;
use super::replacing::confirm_replacing;
use crate::cancellation::{Cancellation, stop};
use crate::cli::settings::PublishSettings;
use crate::error::{Error, Result};
use crate::gitlab::content::Content;
use crate::gitlab::live::LiveChanges;
use crate::gitlab::target_version;
use crate::pipeline::loaded::LoadedTable;
use crate::publish::kept::{Kept, KeptTable};
use crate::publish::outcome::{InputRecord, Published, SchemaTables};
use crate::rows::Tally;
use crate::rows::contents::Contents;
use crate::traces::{StagedTraces, TraceSummary};
use crate::ui::progress::Progress;
use crate::ui::times::Work;
use crate::verify::depth::Depth;
use crate::verify::{Verifying, verify_staged};

/// Publishes what is kept. Returns the report, and whether a changed value is a failure.
pub fn run(
    settings: &PublishSettings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<(Report, bool)> {
    stop::promise("interrupted; nothing was published");
    cancellation
        .guard(|| publish(settings, progress, cancellation))
        .map_err(unpublished)
}

fn publish(
    settings: &PublishSettings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<(Report, bool)> {
    let started = Instant::now();
    let mut held = lock_recovered(&settings.destination, progress)?;
    let Some(kept) = held.target.kept()? else {
        let target = held.ready.shown();
        return Err(Error::usage(format!("nothing is kept for a publish in {target}"))
            .hint("only an import that others keep from the live tables leaves something: import the archive"));
    };
    let loaded = loaded(&kept)?;
    let step = Step {
        settings,
        kept: &kept,
        progress,
        cancellation,
    };
    let staged = step.staged(&held)?;
    step.check_staging(&mut held, staged.as_ref())?;
    step.check_target(&mut held)?;
    let published = step.publish(&mut held, staged.as_ref())?;
    let reported = Reported {
        loaded,
        loaded_at: Some(kept.loaded_at.clone()),
        schema: kept.schema.clone(),
        is_backup: kept.is_backup,
        prefix: staged.as_ref().and_then(StagedTraces::url),
        started,
        tables: Vec::new(),
    };
    let report = reported.after(&held.ready, &*held.target, published, progress);
    Ok((report, kept.strict))
}

/// What the report says of it. Another version may have written something else.
fn loaded(kept: &Kept) -> Result<Loaded> {
    let hint = "publish it with that version, or import the archive again";
    let version = env!("CARGO_PKG_VERSION");
    if kept.program != version {
        let program = &kept.program;
        return Err(Error::usage(format!(
            "it was loaded by ci-import {program}, and this is {version}"
        ))
        .hint(hint));
    }
    serde_json::from_value(kept.report.clone())
        .map_err(|_| Error::failed("the record of what is kept is damaged").hint(hint))
}

/// A publish of what is kept.
struct Step<'a> {
    settings: &'a PublishSettings,
    kept: &'a Kept,
    progress: &'a Progress,
    cancellation: &'a Cancellation,
}

impl Step<'_> {
    fn content(&self) -> Content {
        if self.kept.is_backup {
            Content::Backup
        } else {
            Content::Dump
        }
    }

    /// Whether the import may undistribute tables, or this command.
    fn undistribute(&self) -> bool {
        self.kept.undistribute || self.settings.undistribute
    }

    /// The staged traces.
    fn staged(&self, held: &LockedForChange) -> Result<Option<StagedTraces>> {
        let Some(traces) = &self.kept.traces else {
            return Ok(None);
        };
        let Some(builds) = &held.ready.builds else {
            let path = traces.place.builds();
            return Err(Error::usage("what is kept has build traces")
                .hint(format!("add --builds-path {path}")));
        };
        traces.place.open(builds).map(Some)
    }

    /// Refuses a staging that is not what the import has left.
    fn check_staging(
        &self,
        held: &mut LockedForChange,
        staged: Option<&StagedTraces>,
    ) -> Result<()> {
        let meter = self.progress.steps("verifying what is kept");
        let (tables, others) = self.kept.sorted();
        for name in &tables {
            self.content().check_table(name)?;
        }
        held.target.check_kept(None, &tables)?;
        for SchemaTables { schema, tables } in &others {
            held.target.check_kept(Some(schema), tables)?;
        }
        let tables: Vec<LoadedTable> = self.kept.tables.iter().map(loaded_table).collect();
        let verifying = Verifying {
            jobs: self.settings.resources.jobs,
            counts: meter.counts(),
            cancellation: self.cancellation,
        };
        let verify_tables = || held.target.verify_staged(&tables, &verifying);
        let traces = self.kept.traces.as_ref();
        let summary = traces.map(|traces| TraceSummary {
            files: traces.files,
            bytes: traces.bytes,
            ..TraceSummary::default()
        });
        let traces = staged.zip(summary.as_ref());
        verify_staged(verify_tables, traces, Depth::Count, self.cancellation).map_err(|error| {
            error.hint("import the archive again; the import drops what is kept")
        })?;
        meter.complete();
        Ok(())
    }

    /// Checks the live side as an import does, and asks whether it may be replaced.
    fn check_target(&self, held: &mut LockedForChange) -> Result<()> {
        let (kept, target) = (self.kept, &mut held.target);
        let traces = kept.traces.as_ref();
        if traces.is_some_and(|traces| traces.place.url().is_none()) {
            target.check_recovery()?;
        }
        let content = self.content();
        if content.has_gitlab_steps() && !kept.ignore_target_version {
            target_version::check(&target.recorded_versions(&kept.schema)?)?;
        }
        let (tables, others) = kept.sorted();
        if content.has_gitlab_steps() {
            let live = target.examine(&kept.schema, &tables, self.undistribute())?;
            let previous = target.previous();
            let yes = self.settings.yes;
            return confirm_replacing(&held.ready, yes, &live, &previous, self.cancellation);
        }
        for SchemaTables { schema, tables } in SchemaTables::of_all(&kept.schema, &tables, &others)
        {
            target.examine(schema, &tables, self.undistribute())?;
            let existing = target.tables_of(schema)?;
            let mut existing = existing.iter();
            match existing.find(|name| tables.contains(&name.as_str())) {
                Some(name) if !kept.replace => {
                    let what = format!("the target already has a table {schema}.{name}");
                    let hint = "to replace it, import again with --replace";
                    return Err(Error::usage(what).hint(hint));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn publish(
        &self,
        held: &mut LockedForChange,
        staged: Option<&StagedTraces>,
    ) -> Result<Published<LiveChanges>> {
        let (tables, others) = self.kept.sorted();
        let publishing = Publishing {
            schema: &self.kept.schema,
            tables: &tables,
            others: &others,
            builds: held.ready.builds.as_ref().zip(staged),
            content: self.content(),
            wait_for_locks: self.settings.wait_for_locks,
            leaves_ci_off: self.settings.leave_ci_off,
            undistribute: self.undistribute(),
            input: InputRecord::of(&self.kept.input, self.kept.identity.as_ref()),
        };
        let published = publishing.run(&mut *held.target, self.progress, self.cancellation);
        published.map_err(|error| {
            if !error.is_held() {
                return error;
            }
            error
                .adding("; nothing was published, and all stays kept")
                .hint(HOW_TO_PUBLISH)
        })
    }
}

/// The table as it was loaded, as far as the record says.
fn loaded_table(kept: &KeptTable) -> LoadedTable {
    LoadedTable {
        schema: kept.schema.clone(),
        name: kept.name.clone(),
        numbered: kept.numbered.clone(),
        rows: kept.rows,
        tally: Tally::default(),
        next_value: None,
        contents: Contents::None,
        notes: Vec::new(),
        work: Work::default(),
    }
}
