//! `ci-import generate`: creates the file of a new migration.

use std::path::PathBuf;

use crate::cli::arguments::GenerateWhat;
use crate::error::Result;
use crate::migrate::{Phase, generate};

/// Creates the file, and returns its path.
pub fn run(what: &GenerateWhat) -> Result<PathBuf> {
    let (phase, new) = match what {
        GenerateWhat::Migration(new) => (Phase::Regular, new),
        GenerateWhat::PostDeploymentMigration(new) => (Phase::PostDeployment, new),
    };
    generate(&new.migrations, phase, &new.name)
}
