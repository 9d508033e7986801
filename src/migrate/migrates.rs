//! What a run of migrations needs of the server it migrates.

use std::path::Path;

use super::migration::{Part, Plan};
use super::patience::{self, Patience};
use super::version::Version;
use crate::cancellation::Halt;
use crate::error::Result;
use crate::failpoint;
use crate::ui::progress::Progress;

/// Whether a migration is run or undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is run, and recorded.
    Up,
    /// It is undone, and its record goes.
    Down,
}

/// What is run of a migration, and recorded with it.
pub struct Step<'a> {
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Whether it is run or undone.
    pub way: Way,
    /// Its file.
    pub path: &'a Path,
    /// Its statements.
    pub part: &'a Part,
}

/// What came of a built-in migration.
pub enum Ran {
    /// This was done.
    Done(String),
    /// It stays pending, for this reason.
    Waits(String),
}

/// A migration of which some statements are done and others not, as a server leaves it that has no
/// transaction over definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its version.
    pub version: Version,
    /// Whether it was being run or undone.
    pub way: Way,
    /// How many of its statements are done.
    pub done: usize,
    /// The number of the one, counted from 1, that was begun and whose end is not known.
    pub doubtful: Option<usize>,
}

/// The session that migrates: it holds the lock, runs the statements and keeps the record. A killed run's
/// statements may still work in the server; while they do, nobody else has the lock.
pub trait Migrates {
    /// What it knows to run as built-in migration.
    type BuiltIn;

    /// What may stop it.
    fn halt(&self) -> &Halt;

    /// Takes the lock, if nobody has it.
    fn try_lock(&mut self) -> Result<bool>;

    /// All versions on record, also those of others, in any notation.
    fn recorded(&mut self) -> Result<Vec<String>>;

    /// Makes the table of versions, if there is none.
    fn make_table(&mut self) -> Result<()>;

    /// The migrations that wait to be gone on with, in order.
    fn unfinished(&mut self) -> Result<Vec<Unfinished>>;

    /// Runs what is in a file, and records it.
    fn run(&mut self, step: &Step<'_>, patience: Patience, progress: &Progress) -> Result<()>;

    /// Runs a built-in migration, if it does not want to wait, and records it.
    fn run_built_in(
        &mut self,
        migration: (&str, Version),
        built_in: &Self::BuiltIn,
        patience: Patience,
        progress: &Progress,
    ) -> Result<Ran>;

    /// What a built-in migration would do now.
    fn plan(&mut self, built_in: &Self::BuiltIn) -> Result<Plan>;

    /// What [`Migrates::run`] would run now, as the server's own client would take it.
    fn rendered(&mut self, step: &Step<'_>, patience: Patience) -> Result<String>;

    /// Takes the lock, as soon as nobody has it.
    fn lock(&mut self, progress: &Progress) -> Result<()> {
        let mut waits = false;
        while !self.try_lock()? {
            if !std::mem::replace(&mut waits, true) {
                progress.step("another run migrates this database; waiting for its end");
            }
            patience::pause(self.halt(), patience::GLANCE)?;
        }
        failpoint::reached("lock of migrations taken");
        Ok(())
    }
}
