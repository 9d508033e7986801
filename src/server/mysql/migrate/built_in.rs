//! Built-in migrations in MySQL.

use mysql::Conn;

use crate::error::Result;
use crate::migrate::MigrationPlan;

/// A built-in migration. It decides by the current state, so it can run again at any time, even after an
/// interruption.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Plans what is to be done in the database. It changes nothing. Meanwhile no import is published or rolled
    /// back.
    pub plan: fn(&mut Conn, &str) -> Result<MigrationPlan>,
}
