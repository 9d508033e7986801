//! Transcodes tuples. One pass from bytes to bytes: MySQL's escapes out, COPY's escapes in, no value objects.

mod as_written;
mod bytes;
mod date_values;
mod escape_search;
mod literals;
mod numbers;
#[cfg(test)]
mod tests;
mod text;
mod transcoder;
mod tuples;

pub use transcoder::RowError;
pub use tuples::transcode;
