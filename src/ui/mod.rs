//! The output for people while the program works: progress, questions, warnings.

pub mod numbers;
pub mod progress;
pub mod terminal;
