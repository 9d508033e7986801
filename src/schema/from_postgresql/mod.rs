//! Maps the definitions of a PostgreSQL dump to the model.
//!
//! Types and defaults are taken from lists of what is known, expressions are rendered word by word. So nothing else of a
//! dump becomes SQL of the target.

mod columns;
pub(crate) mod expression;
mod keys;
pub(super) mod types;

pub use columns::{column, default_sql, generated};
pub use keys::{check, foreign_key, index, unique_index};
pub use types::data_type;
