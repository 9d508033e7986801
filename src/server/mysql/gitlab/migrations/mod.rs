//! The built-in migrations of [`crate::gitlab::migrations`] for MySQL.

pub(crate) mod built_in;
mod numbering;
mod recorded;

pub use built_in::{built_in, concerning};
pub use recorded::dropped_tables;
pub(crate) use recorded::{exchange, prepare, prepare_exchange, renew};
