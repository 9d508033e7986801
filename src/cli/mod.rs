//! The command line: what was typed, and what it means.

pub mod arguments;
pub mod configured;
pub mod guesses;
pub mod help;
pub mod password;
pub mod secrets;
pub mod settings;
