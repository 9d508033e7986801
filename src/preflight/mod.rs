//! What can be known before an import begins: whether it would be let in, what it would replace,
//! whether there is room, and how long it may take. The import asks the same first.

mod checks;
mod estimate;
mod space;

pub use checks::{Checks, Outcome};
pub use estimate::{Estimate, estimate};
pub use space::{Space, database_space, refuse_too_little, traces_space};
