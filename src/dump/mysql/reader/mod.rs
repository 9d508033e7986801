//! Reads a MySQL dump in blocks, and passes on tables and chunks of whole rows.

mod altered;
mod clause;
mod consumer;
mod created;
mod executed;
mod insert_set;
mod program;
mod reading;
mod statements;
mod tables;
#[cfg(test)]
mod tests;
mod waiting;

pub use consumer::Consumer;
pub(crate) use consumer::WITHOUT_DEFINITION;
pub use reading::{Reader, Wanted};
