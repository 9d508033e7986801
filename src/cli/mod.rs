//! The command line: what was typed, and what it means.

pub mod arguments;
pub mod settings;
