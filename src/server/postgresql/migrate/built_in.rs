//! What a built-in migration is for PostgreSQL.

use postgres::Transaction;

use crate::error::Result;
use crate::migrate::Plan;

/// A migration of this program's own. It decides by what it finds, so it can be run again at any time.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Statements that lock what is looked at in the schema, where nobody may change it from then on.
    pub lock: fn(&mut Transaction<'_>, &str) -> Result<Vec<String>>,
    /// Says what is to be done in the schema. It changes nothing itself.
    pub plan: fn(&mut Transaction<'_>, &str) -> Result<Plan>,
}
