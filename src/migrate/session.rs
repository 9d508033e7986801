//! What a run of migrations needs from the server that it migrates.

use std::path::Path;

use super::interruption::{POLL_INTERVAL, sleep};
use super::migration::{MigrationPart, MigrationPlan};
use super::retry::RetryPolicy;
use super::version::Version;
use crate::cancellation::Cancellation;
use crate::error::Result;
use crate::failpoint;
use crate::ui::progress::Progress;

/// Whether a migration is run or undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It is run, and its version is recorded.
    Up,
    /// It is undone, and the record of its version is deleted.
    Down,
}

/// A migration of a file in one direction.
pub struct MigrationStep<'a> {
    /// Version and name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Whether it is run or undone.
    pub direction: Direction,
    /// Its file.
    pub path: &'a Path,
    /// Its statements.
    pub part: &'a MigrationPart,
}

impl MigrationStep<'_> {
    /// The statement that records the end of this step: `record` for a migration that is run, `forget` for one
    /// that is undone.
    pub(crate) fn recording(
        &self,
        schema: &str,
        record: fn(&str, Version) -> String,
        forget: fn(&str, Version) -> String,
    ) -> String {
        match self.direction {
            Direction::Up => record(schema, self.version),
            Direction::Down => forget(schema, self.version),
        }
    }
}

/// The outcome of a built-in migration.
pub enum BuiltInOutcome {
    /// It ran; the text says what it did.
    Done(String),
    /// It stays pending, for this reason.
    Waits(String),
}

/// A migration of which only some statements are done. Servers without transactional DDL leave one behind
/// when a run is interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedMigration {
    /// Its version.
    pub version: Version,
    /// Whether it was being run or undone.
    pub direction: Direction,
    /// How many of its statements are done.
    pub done: usize,
    /// The number, counted from 1, of the statement that was begun and whose outcome is unknown.
    pub doubtful: Option<usize>,
}

/// The session that migrates: it holds the lock, runs the statements and records the versions. After a kill
/// the statements of a run may still work in the server. Meanwhile nobody else gets the lock.
pub trait MigrationSession {
    /// A built-in migration for this server.
    type BuiltIn;

    /// The signal that stops it.
    fn cancellation(&self) -> &Cancellation;

    /// Takes the lock if it is free.
    fn try_lock(&mut self) -> Result<bool>;

    /// All recorded versions, in any notation, including those of other programs.
    fn recorded(&mut self) -> Result<Vec<String>>;

    /// Creates the table of versions if it is missing.
    fn create_table(&mut self) -> Result<()>;

    /// The unfinished migrations, in order.
    fn unfinished(&mut self) -> Result<Vec<UnfinishedMigration>>;

    /// Runs a step and records it.
    fn run(
        &mut self,
        step: &MigrationStep<'_>,
        retry_policy: RetryPolicy,
        progress: &Progress,
    ) -> Result<()>;

    /// Runs a built-in migration and records it, unless it has a reason to wait.
    fn run_built_in(
        &mut self,
        migration: (&str, Version),
        built_in: &Self::BuiltIn,
        retry_policy: RetryPolicy,
        progress: &Progress,
    ) -> Result<BuiltInOutcome>;

    /// What a built-in migration would do now.
    fn plan(&mut self, built_in: &Self::BuiltIn) -> Result<MigrationPlan>;

    /// What [`MigrationSession::run`] would run now, in the form that the server's own client takes.
    fn rendered(&mut self, step: &MigrationStep<'_>, retry_policy: RetryPolicy) -> Result<String>;

    /// Takes the lock; waits until it is free.
    fn lock(&mut self, progress: &Progress) -> Result<()> {
        let mut waits = false;
        while !self.try_lock()? {
            if !std::mem::replace(&mut waits, true) {
                progress.step("another run migrates this database; waiting for its end");
            }
            sleep(self.cancellation(), POLL_INTERVAL)?;
        }
        failpoint::reached("lock of migrations taken");
        Ok(())
    }
}
