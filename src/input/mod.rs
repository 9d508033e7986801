//! What is imported: found, opened, taken apart.

pub mod locate;
pub mod members;
pub mod open;
pub mod source;
