//! The output for people while the program works: progress, questions, warnings.

pub mod counts;
pub mod messages;
pub mod numbers;
pub mod progress;
mod progress_line;
mod screen;
pub mod shown;
pub mod terminal;
mod text;
pub mod times;
pub mod tracing_lines;
