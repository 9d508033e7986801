//! Maps a MySQL table definition to the model, and decides how the values of each column are transcoded.

mod defaults;
pub(crate) mod expression;
mod generated;
mod keys;
mod known_columns;
mod mapper;
mod on_update;
mod prepared;
mod retyped;
mod table;
#[cfg(test)]
mod tests;
mod text_keys;
mod types;
mod vectors;

pub use generated::{GeneratedValues, ROW_NUMBER, as_loaded};
pub use mapper::{DumpFacts, GivenColumns, GivenRows};
pub use table::{Mapped, UNSUPPORTED, from_mysql};
pub use types::text_kind;
