//! The built-in migrations of [`crate::gitlab::migrations`] for MySQL.

mod list;
mod numbering;
mod recorded;

pub use list::{built_in, concerning};
pub use recorded::dropped_tables;
pub(crate) use recorded::{exchange, prepare, prepare_exchange, renew};
