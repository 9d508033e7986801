//! Migrations in PostgreSQL: its syntax, the statements that are refused, the session that holds the lock and
//! runs statements, the table of versions.

mod built_in;
mod concurrent_index;
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

/// The SQL of migrations in PostgreSQL.
pub const DIALECT: Dialect = Dialect {
    rules: &RULES,
    split,
    refuse,
};
