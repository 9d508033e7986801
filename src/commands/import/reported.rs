//! Makes the report of a publish: of an import, and of what an import has kept.

use std::time::Instant;

use super::loaded::Loaded;
use super::report::{ArchiveReport, Report, TableTime};
use crate::commands::destination::PreparedTarget;
use crate::error::codes::Code;
use crate::gitlab::live::LiveChanges;
use crate::publish::outcome::Published;
use crate::schema::Note;
use crate::server::LockedTarget;
use crate::ui::progress::Progress;

/// What is known before the publish.
pub(in crate::commands) struct Reported {
    pub(in crate::commands) loaded: Loaded,
    pub(in crate::commands) loaded_at: Option<String>,
    pub(in crate::commands) schema: String,
    pub(in crate::commands) is_backup: bool,
    /// The prefix with the traces, if they are in an object storage.
    pub(in crate::commands) prefix: Option<String>,
    pub(in crate::commands) started: Instant,
    /// When each table was loaded, if it was now.
    pub(in crate::commands) tables: Vec<TableTime>,
}

impl Reported {
    /// The report after the publish.
    pub(in crate::commands) fn after(
        self,
        destination: &PreparedTarget,
        target: &dyn LockedTarget,
        published: Published<LiveChanges>,
        progress: &Progress,
    ) -> Report {
        let lost = published.lost.into_iter();
        let lost = lost.map(|(table, what)| Note {
            code: Code::LostByReplacing,
            table,
            item: None,
            what,
        });
        Report {
            loaded: self.loaded,
            loaded_at: self.loaded_at,
            target: destination.shown(),
            schema: self.schema,
            lost: lost.collect(),
            replaced: published.replaced,
            previous_schema: target.previous(),
            archive: self.is_backup.then(|| ArchiveReport {
                builds: self.prefix.unwrap_or_else(|| {
                    let builds = destination.builds.as_ref();
                    builds.map(ToString::to_string).unwrap_or_default()
                }),
                previous_builds: published.previous_builds,
                live: published.finished,
                locked: published.locked,
            }),
            elapsed: self.started.elapsed(),
            parts: progress.times(),
            table_times: self.tables,
            connect: destination.how_to_connect(),
        }
    }
}
