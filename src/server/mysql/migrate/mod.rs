//! What of migrations is MySQL's own, and MariaDB's: how its SQL is split into statements, which of them
//! are refused, the session that holds the lock and runs them, the table of versions.
//!
//! MySQL commits before and after each statement that defines something, so a migration is not one
//! transaction, but several segments (`segments`), and a record says which of its statements are done
//! (`steps`). Whoever goes on with it runs the others.

mod built_in;
mod decide;
mod definitions;
mod engines;
mod kind;
mod refused;
mod segments;
mod session;
mod statement;
mod steps;
mod syntax;
mod twice;
pub(crate) mod versions;
mod worker;

pub use built_in::BuiltIn;
pub use session::Session;

use crate::migrate::Dialect;
use refused::refuse;
use syntax::{RULES, split};

/// MySQL's, and MariaDB's SQL in migrations.
pub const DIALECT: Dialect = Dialect {
    rules: &RULES,
    split,
    refuse,
};
