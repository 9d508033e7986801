//! The built-in migrations of [`crate::gitlab::migrations`] for PostgreSQL.

mod list;
mod numbering;
mod recorded;
mod regular;

pub use list::{built_in, concerning};
pub use recorded::{dropped_tables, exchange, renew};
pub use regular::{RegularChanges, run_regular};
