//! What a built-in migration is for MySQL.

use mysql::Conn;

use crate::error::Result;
use crate::migrate::Plan;

/// A migration of this program's own. It decides by what it finds, so it can be run again at any time,
/// also where it was cut.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Says what is to be done in the database. It changes nothing itself. Meanwhile no import
    /// publishes, and none is rolled back.
    pub plan: fn(&mut Conn, &str) -> Result<Plan>,
}
