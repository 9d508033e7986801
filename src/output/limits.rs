//! The limits of a conversion.

use crate::resources::Resources;

/// The limits of one conversion.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The number of threads, and how much data may wait in memory.
    pub resources: Resources,
    /// How many times its size a dump may inflate to.
    pub max_inflation: u32,
}
