//! Keeps what is staged for `ci-import publish`, because others hold the live tables.

use super::context::Import;
use super::prepare::Prepared;
use super::stage::Staged;
use crate::commands::kept::HOW_TO_PUBLISH;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::publish::kept::{Kept, KeptTable, KeptTraces};
use crate::server::LockedTarget;
use crate::traces::KeptPlace;
use crate::ui::terminal;
use crate::verify::depth::Depth;

impl Import<'_> {
    /// Keeps what is staged, after a publish that failed with `error`. Returns the error with its new hint.
    pub(super) fn keep(
        &self,
        target: &mut dyn LockedTarget,
        prepared: &Prepared,
        mut staged: Staged,
        error: Error,
    ) -> Error {
        if let Err(cause) = self.keep_staged(target, prepared, &mut staged) {
            terminal::warn(
                Code::NotKept,
                &format!("what is loaded cannot be kept: {cause}"),
            );
            return error;
        }
        let done = match self.settings.verify {
            Depth::None => "loaded",
            Depth::Count | Depth::Full => "loaded and verified",
        };
        error
            .adding(&format!(
                "; nothing was published, but all is {done}, and is kept"
            ))
            .hint(HOW_TO_PUBLISH)
    }

    fn keep_staged(
        &self,
        target: &mut dyn LockedTarget,
        prepared: &Prepared,
        staged: &mut Staged,
    ) -> Result<()> {
        let builds = self.destination.builds.as_ref();
        let place = builds
            .zip(staged.place.as_ref())
            .map(|(builds, staged)| KeptPlace::of(staged, builds))
            .transpose()?;
        let tables = staged.dump.tables.iter().map(|table| KeptTable {
            schema: table.schema.clone(),
            name: table.name.clone(),
            rows: table.rows,
            numbered: table.numbered.clone(),
        });
        let report = serde_json::to_value(self.loaded(staged));
        let kept = Kept {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            input: self.input.clone(),
            identity: staged.identity.clone(),
            loaded_at: jiff::Timestamp::now()
                .strftime("%Y-%m-%d %H:%M:%S UTC")
                .to_string(),
            is_backup: self.content.has_traces(),
            schema: prepared.live.schema.clone(),
            tables: tables.collect(),
            traces: place.clone().map(|place| KeptTraces {
                files: staged.traces.files,
                bytes: staged.traces.bytes,
                place,
            }),
            replace: self.settings.replace,
            ignore_target_version: self.settings.ignore_target_version,
            undistribute: self.settings.undistribute,
            strict: self.settings.strict,
            report: report.map_err(|cause| Error::failed(format!("its report: {cause}")))?,
        };
        if let Some(place) = &staged.place {
            place.leave_if_killed();
        }
        // If the program is killed in between, the next import removes the directory as that of any killed import.
        target.keep(&kept)?;
        if let (Some(builds), Some(place), Some(staged)) = (builds, place, &mut staged.place) {
            place.keep(staged, builds)?;
        }
        Ok(())
    }
}
