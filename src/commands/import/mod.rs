//! `ci-import ARCHIVE`: prepares, stages, verifies, publishes and reports an import.

mod context;
mod encrypted;
mod keep;
pub(in crate::commands) mod loaded;
mod once;
mod prepare;
pub mod report;
pub(in crate::commands) mod reported;
mod secrets;
mod stage;

use std::time::Instant;

use tracing::debug;

use super::destination::PreparedTarget;
use super::publishing::Publishing;
use crate::archive;
use crate::cancellation::{Cancellation, stop};
use crate::cli::settings::Settings;
use crate::error::codes::Code;
use crate::error::{Error, Kind, Result};
use crate::failpoint;
use crate::gitlab::content::Content;
use crate::gitlab::live::LiveChanges;
use crate::input::whole::{Identifying, Whole};
use crate::pipeline::loaded::LoadedTable;
use crate::publish::outcome::{InputRecord, Published, SchemaTables};
use crate::schema::Note;
use crate::server::LockedTarget;
use crate::traces::{Builds, StagedTraces};
use crate::ui::progress::Progress;
use crate::verify::depth::Depth;
use crate::verify::{Verifying, verify_staged};
use context::Import;
use loaded::Loaded;
pub use once::AlreadyLive;
use once::Found;
use prepare::{OpenedInput, Prepared};
use report::{Report, TableTime};
use reported::Reported;
use stage::Staged;

/// What an import did.
#[derive(Debug)]
pub enum Imported {
    /// It has published its input.
    Now(Box<Report>),
    /// Its input was live before (`--once`).
    Before(AlreadyLive),
}

/// Runs the import to its end, and reports what was published. If it is not obvious, the error says that
/// nothing was published.
pub fn run(
    settings: &Settings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Imported> {
    stop::promise("interrupted; nothing was published");
    cancellation
        .guard(|| import(settings, progress, cancellation))
        .map_err(unpublished)
}

/// Adds to `error` what only an import knows.
pub(in crate::commands) fn unpublished(error: Error) -> Error {
    if error.kind() == Kind::Interrupted {
        return error.adding("; nothing was published");
    }
    match error.hint_text() {
        Some(hint) if error.is_connection_lost() && error.kind() != Kind::CutPublish => {
            let hint = format!("nothing was published; {hint}");
            error.hint(hint)
        }
        _ => error,
    }
}

fn import(
    settings: &Settings,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Imported> {
    let started = Instant::now();
    let mut opened = OpenedInput::open(settings, progress, cancellation)?;
    let content = opened.content;
    let destination =
        PreparedTarget::prepare(&settings.destination, content.has_traces(), progress)?
            .owned_by(settings.builds_owner)?;
    let builds = destination.builds.as_ref();
    let mut held = destination.target.lock()?;
    let _lock = builds.map(Builds::lock).transpose()?.flatten();
    let import = Import {
        started,
        input: opened.located.name(),
        settings,
        content,
        destination: &destination,
        progress,
        cancellation,
    };
    let target = &mut *held;
    let resources = &settings.resources;
    debug!(
        input = %import.input,
        target = %destination.shown(),
        jobs = resources.jobs,
        chunks = resources.chunks,
        "begins"
    );
    import.recover(target)?;
    let whole = opened.whole.take();
    let identifying = if settings.once {
        match whole
            .map(|whole| import.look_for(target, whole))
            .transpose()?
        {
            Some(Found::Live(live)) => return Ok(Imported::Before(live)),
            Some(Found::Other(identifying)) => Some(identifying),
            None => None,
        }
    } else {
        whole.map(Whole::identify).transpose()?
    };
    let prepared = import.prepare(target, &opened)?;
    let mut staged = import.stage(target, opened, &prepared)?;
    import.verify(target, &staged)?;
    let identity = identifying.map(Identifying::known).transpose()?;
    staged.identity = identity.map(|identity| import.recorded(&identity));
    staged.encrypted = import.check_secrets(target, &staged)?;
    let published = match import.publish(target, &prepared, &staged) {
        Err(error) if error.is_held() => {
            return Err(import.keep(target, &prepared, staged, error));
        }
        // Perhaps it is live.
        Err(error) if error.kind() == Kind::CutPublish => return Err(staged.left(error)),
        published => published?,
    };
    let report = import.report(target, prepared.live.schema, staged, published);
    Ok(Imported::Now(Box::new(report)))
}

impl Import<'_> {
    /// Compares the staged data with the input.
    fn verify(&self, target: &dyn LockedTarget, staged: &Staged) -> Result<()> {
        self.check(staged)?;
        failpoint::reached("staged");
        let (depth, jobs) = (self.settings.verify, self.settings.resources.jobs);
        if depth == Depth::None {
            return Ok(());
        }
        let meter = self.progress.steps("verifying the staged data");
        let _in = meter.enter();
        let verifying = Verifying {
            jobs,
            counts: meter.counts(),
            cancellation: self.cancellation,
        };
        let verify_tables = || target.verify_staged(&staged.dump.tables, &verifying);
        let traces = staged.place.as_ref().zip(Some(&staged.traces));
        verify_staged(verify_tables, traces, depth, self.cancellation)?;
        meter.complete();
        Ok(())
    }

    /// Checks the conditions for a publish.
    fn check(&self, staged: &Staged) -> Result<()> {
        let has_tables = !staged.dump.tables.is_empty();
        match self.content {
            Content::Backup => {
                let missing = || {
                    let name = archive::INFORMATION;
                    Error::archive(format!("the archive has no member {name}"))
                };
                let information = staged.information.as_ref().ok_or_else(missing)?;
                information.check_version()?;
                if !has_tables {
                    let error = Error::archive("it holds no table of GitLab CI");
                    return Err(error.at(archive::DATABASE));
                }
            }
            Content::Dump if !has_tables => {
                return Err(Error::archive("the dump holds no table"));
            }
            Content::Dump => {}
        }
        Ok(())
    }

    /// Makes the staged data live: all of it, or nothing.
    fn publish(
        &self,
        target: &mut dyn LockedTarget,
        prepared: &Prepared,
        staged: &Staged,
    ) -> Result<Published<LiveChanges>> {
        let tables = staged.dump.tables.iter();
        let tables = tables.map(|table| (table.schema.as_deref(), table.name.as_str()));
        let (tables, others) = SchemaTables::sorted(tables);
        let schema = &prepared.live.schema;
        if self.content.known_tables().is_empty() {
            // Only now the names of the tables are known, so their dependents can be checked.
            for SchemaTables { schema, tables } in SchemaTables::of_all(schema, &tables, &others) {
                target.examine(schema, &tables, self.settings.undistribute)?;
            }
        }
        if let Some(place) = &staged.place {
            place.finish()?;
        }
        let publishing = Publishing {
            schema,
            tables: &tables,
            others: &others,
            builds: self.destination.builds.as_ref().zip(staged.place.as_ref()),
            content: self.content,
            wait_for_locks: self.settings.wait_for_locks,
            leaves_ci_off: self.settings.leave_ci_off,
            undistribute: self.settings.undistribute,
            input: InputRecord::of(&self.input, staged.identity.as_ref()),
        };
        publishing.run(target, self.progress, self.cancellation)
    }

    /// What the report says of the staged data.
    fn loaded(&self, staged: &Staged) -> Loaded {
        let missing = missing_tables(self.content, &staged.dump.tables);
        let information = staged.information.as_ref();
        let archive = information.map(|information| (information, &staged.traces));
        let verified = self.settings.verify;
        let loaded = Loaded::of(&self.input, &staged.dump, &missing, archive, verified);
        loaded.with_encrypted(staged.encrypted.clone())
    }

    /// When `table` was loaded.
    fn time_of(&self, table: &LoadedTable) -> Option<TableTime> {
        let (begin, end) = table.work.span?;
        Some(TableTime {
            name: table.shown(),
            begin: self.progress.since_start(begin),
            end: self.progress.since_start(end),
        })
    }

    /// Reports the results of all steps.
    fn report(
        self,
        target: &dyn LockedTarget,
        schema: String,
        staged: Staged,
        published: Published<LiveChanges>,
    ) -> Report {
        let loaded = self.loaded(&staged);
        let prefix = staged.place.as_ref().and_then(StagedTraces::url);
        let tables = staged.dump.tables.iter();
        let tables = tables.filter_map(|table| self.time_of(table)).collect();
        if let Some(mut place) = staged.place {
            place.published();
        }
        let reported = Reported {
            loaded,
            loaded_at: None,
            schema,
            is_backup: self.content.has_traces(),
            prefix,
            started: self.started,
            tables,
        };
        reported.after(self.destination, target, published, self.progress)
    }
}

/// Notes of the tables that a backup should have and does not. The target keeps its own.
fn missing_tables(content: Content, tables: &[LoadedTable]) -> Vec<Note> {
    let is_there = |name: &str| tables.iter().any(|loaded| loaded.name == name);
    let missing = content.known_tables().iter().filter(|name| !is_there(name));
    let note = |name: &&str| Note {
        code: Code::TableNotInDump,
        table: (*name).to_owned(),
        item: None,
        what: "the dump does not have this table; the target's table is unchanged".to_owned(),
    };
    missing.map(note).collect()
}
