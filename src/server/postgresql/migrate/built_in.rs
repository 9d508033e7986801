//! Built-in migrations in PostgreSQL.

use postgres::Transaction;

use crate::error::Result;
use crate::migrate::MigrationPlan;

/// A built-in migration. It decides by the current state, so it can run again at any time.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// The statements that lock what it looks at in the schema. From then on nobody else changes it.
    pub lock: fn(&mut Transaction<'_>, &str) -> Result<Vec<String>>,
    /// Plans what is to be done in the schema. It changes nothing.
    pub plan: fn(&mut Transaction<'_>, &str) -> Result<MigrationPlan>,
}
