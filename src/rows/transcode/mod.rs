//! Transcodes tuples, in one pass from bytes to bytes, without value objects: MySQL's escapes are replaced with COPY's.

mod as_written;
mod bytes;
mod date_values;
mod escape_search;
mod geometry;
mod literals;
mod moments;
mod numbers;
mod other_notations;
#[cfg(test)]
mod tests;
mod text;
mod transcoder;
mod tuples;
mod vector;

pub use transcoder::RowError;
pub use tuples::transcode;
