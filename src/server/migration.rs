//! What is done in a session that migrates, whatever the server is.

use crate::error::Result;
use crate::migrate::{Migration, MigrationSession};

/// Uses a session that migrates a target.
pub trait InMigrationSession {
    /// What comes of it.
    type Done;

    /// Uses `session`; `concerning` returns the built-in migrations that concern its target.
    fn run<S: MigrationSession>(
        self,
        session: S,
        concerning: impl FnOnce(&mut S) -> Result<Vec<Migration<S::BuiltIn>>>,
    ) -> Result<Self::Done>;
}
