//! The step that makes staged data live, of an import and of what an import has kept.

use std::time::Duration;

use tracing::debug;

use crate::cancellation::Cancellation;
use crate::error::Result;
use crate::failpoint;
use crate::gitlab::content::Content;
use crate::gitlab::live::LiveChanges;
use crate::publish::outcome::InputRecord;
use crate::publish::outcome::{Publication, Published, SchemaTables, Waiting};
use crate::server::LockedTarget;
use crate::traces::{Builds, StagedTraces};
use crate::ui::progress::Progress;

/// The staged data, and where it goes.
pub(super) struct Publishing<'a> {
    pub(super) schema: &'a str,
    pub(super) tables: &'a [&'a str],
    /// Those of other schemas.
    pub(super) others: &'a [SchemaTables<'a>],
    pub(super) builds: Option<(&'a Builds, &'a StagedTraces)>,
    pub(super) content: Content,
    /// How long others who hold the live tables are waited for.
    pub(super) wait_for_locks: Duration,
    /// Whether CI stays off.
    pub(super) leaves_ci_off: bool,
    /// Whether tables that a cluster distributes are replaced.
    pub(super) undistribute: bool,
    /// Which archive or dump it is, if that is to be known later.
    pub(super) input: Option<InputRecord>,
}

impl Publishing<'_> {
    /// Makes it live in `target`: all of it, or nothing.
    pub(super) fn run(
        &self,
        target: &mut dyn LockedTarget,
        progress: &Progress,
        cancellation: &Cancellation,
    ) -> Result<Published<LiveChanges>> {
        cancellation.check()?;
        failpoint::reached("to be published");
        progress.step("publishing");
        let publication = Publication {
            waiting: Waiting {
                limit: self.wait_for_locks,
                tell: &|what| progress.step(what),
                check: &|| cancellation.check(),
            },
            schema: self.schema,
            tables: self.tables,
            others: self.others,
            builds: self.builds,
            leaves_ci_off: self.leaves_ci_off,
            undistribute: self.undistribute,
            input: self.input.as_ref(),
        };
        let published = target.publish(&publication, self.content, cancellation)?;
        failpoint::reached("published");
        let seconds = published.locked.map(|locked| locked.as_secs_f64());
        debug!(
            replaced = published.replaced.len(),
            locked_seconds = seconds,
            "published"
        );
        Ok(published)
    }
}
