//! What a conversion may take of the machine.

use crate::resources::Resources;

/// The limits of one conversion.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many threads there are, and how much may wait in memory.
    pub resources: Resources,
    /// How many times its size a dump may inflate to.
    pub max_inflation: u32,
}
