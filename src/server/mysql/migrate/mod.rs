//! Migrations in MySQL and MariaDB: their syntax, the statements that are refused, the session that holds the
//! lock and runs statements, the table of versions.
//!
//! MySQL commits before and after each DDL statement. So a migration is not one transaction but several
//! segments (`segments`), and a log records which of its statements are done (`statement_log`). The next run
//! continues with the others.

mod built_in;
mod definitions;
mod idempotence;
mod lock;
mod non_transactional;
mod refused;
mod segments;
mod session;
mod statement;
mod statement_kind;
mod statement_log;
mod syntax;
mod unknown_outcome;
pub(crate) mod versions;
mod worker;

pub use built_in::BuiltIn;
pub use session::Session;

use crate::migrate::Dialect;
use refused::refuse;
use syntax::{RULES, split};

/// The SQL of migrations in MySQL and MariaDB.
pub const DIALECT: Dialect = Dialect {
    rules: &RULES,
    split,
    refuse,
};
