//! What of migrations is PostgreSQL's own: how its SQL is split into statements, which of them are
//! refused, the session that holds the lock and runs them, the table of versions.

mod refused;
mod scanner;
mod session;
mod splitter;
mod statement;
pub(crate) mod versions;

pub(super) use refused::refuse;
pub use session::{Patience, Session};
pub(super) use session::{Ran, Step};
pub(super) use splitter::{Piece, split};
