//! The built-in migrations of [`crate::gitlab::migrations`] for PostgreSQL.

pub(crate) mod built_in;
mod numbering;
mod recorded;
mod regular;

pub use built_in::{built_in, concerning};
pub use recorded::{dropped_tables, exchange, renew};
pub use regular::{RegularChanges, run_regular};
