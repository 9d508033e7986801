//! What of migrations is PostgreSQL's own: how its SQL is split into statements, which of them are
//! refused, the session that holds the lock and runs them, the table of versions.

mod built_in;
mod concurrently;
mod lock;
mod refused;
mod session;
mod statement;
mod syntax;
pub(crate) mod versions;

pub use built_in::BuiltIn;
pub use session::Session;

use crate::migrate::Dialect;
use refused::refuse;
use syntax::{RULES, split};

/// PostgreSQL's SQL in migrations.
pub const DIALECT: Dialect = Dialect {
    rules: &RULES,
    split,
    refuse,
};
