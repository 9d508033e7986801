//! What an import, and the commands that look after imports, need of a target whose lock they hold.

use std::path::PathBuf;

use super::load::Loads;
use crate::cancellation::Halt;
use crate::error::Result;
use crate::gitlab::content::Content;
use crate::gitlab::live::LiveChanges;
use crate::migrate::MigrationReport;
use crate::pipeline::loaded::LoadedTable;
use crate::publish::outcome::{Discarded, Live, Publication, Published, Recovered, RolledBack};
use crate::traces::BuildsDirectory;
use crate::ui::progress::Progress;
use crate::verify::TableFinding;

/// What is known of what a user may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// He may do what an import needs.
    Enough(String),
    /// It is not known: what he must be allowed to do.
    Unknown(String),
}

/// A target whose lock is held, with its staging. Dropped without being published, it takes what was
/// staged with it.
pub trait LockedTarget {
    /// Looks for a publish of `builds` that was cut, and brings tables and directories to one state.
    fn recover(&mut self, builds: Option<&BuildsDirectory>) -> Result<Recovered>;

    /// Whether a publish that was cut off is on record in the target: it can be told without the builds
    /// directory, of which a dump by itself has none.
    fn has_record(&self) -> bool;

    /// An error if the target could not be asked later what became of a publish with traces.
    fn check_recovery(&mut self) -> Result<()>;

    /// The schema that tables go to: the one that was `named`, or the target's own for those of an
    /// archive or a dump.
    fn schema(&mut self, named: Option<&str>, content: Content) -> Result<String>;

    /// Looks at the target before `tables` are published in `schema`; an error says what stands in the
    /// way.
    fn examine(&mut self, schema: &str, tables: &[&str]) -> Result<Live>;

    /// What the user may do, as far as that is known before it is done; an error if he may not do what an
    /// import needs.
    fn rights(&mut self, schema: &str) -> Result<Rights>;

    /// The tables that are in `schema`.
    fn tables_of(&mut self, schema: &str) -> Result<Vec<String>>;

    /// Some of the sessions that use any of `tables` at this moment.
    fn holders(&mut self, schema: &str, tables: &[&str]) -> Result<Vec<String>>;

    /// Whether CI is switched on; none if the target is no GitLab's.
    fn ci_enabled(&mut self, schema: &str) -> Result<Option<bool>>;

    /// Makes the staging, in place of what an import that is no more has left.
    fn make_staging(&mut self) -> Result<()>;

    /// What loads dumps into the staging.
    fn loads(&self) -> Box<dyn Loads>;

    /// Compares the staged tables with what was loaded, in `jobs` sessions.
    fn verify_staged(
        &self,
        jobs: usize,
        tables: &[LoadedTable],
        halt: &Halt,
    ) -> Result<Vec<TableFinding>>;

    /// Publishes what was staged: all of it, or nothing; with the steps of GitLab that belong to `content`.
    /// `halt` stops it as long as that is possible.
    fn publish(
        &mut self,
        publication: &Publication<'_>,
        content: Content,
        halt: &Halt,
    ) -> Result<Published<LiveChanges>>;

    /// Runs the post-deployment migrations that lose nothing on the tables that were published in
    /// `schema`, or with `skip` none of them. What fails or waits is in what it returns.
    fn run_post_deployment(
        &mut self,
        schema: &str,
        skip: bool,
        progress: &Progress,
        halt: &Halt,
    ) -> Vec<MigrationReport>;

    /// The schema with the tables that a publish has replaced.
    fn previous(&self) -> String;

    /// Which tables a rollback would bring back, and which it would put aside; none if there was no
    /// publish that could be undone.
    fn previous_import(&mut self) -> Result<Option<(Vec<String>, Vec<String>)>>;

    /// Undoes the last publish: all of it, or nothing.
    fn rollback(&mut self, builds: Option<&BuildsDirectory>) -> Result<RolledBack>;

    /// The directories that [`LockedTarget::discard`] would remove; none if there is nothing to free.
    fn previous_directories(
        &mut self,
        builds: Option<&BuildsDirectory>,
    ) -> Result<Option<Vec<PathBuf>>>;

    /// Drops the tables that were replaced, and removes the builds directories that were.
    fn discard(&mut self, builds: Option<&BuildsDirectory>) -> Result<Discarded>;
}
