//! Transcodes rows of a MySQL dump into the text or the binary format of PostgreSQL's COPY, or into
//! the lines of MySQL's LOAD DATA, and takes checksums of them.
//!
//! What a column needs is decided once per table, in its [`TranscodePlan`].

pub(crate) mod comparable_form;
pub mod contents;
mod copy_binary;
mod copy_lines;
mod copy_text;
mod dates;
mod digest;
mod escapes;
mod format;
mod geometry;
mod hex;
mod json_syntax;
mod load_data;
mod notation;
mod plan;
mod tally;
mod time_zone;
mod transcode;
mod value_kind;
pub(crate) mod value_policies;
mod vectors;
mod wider;

pub(crate) use copy_lines::Line;
pub use digest::{Digest, Layout, Normal};
pub use format::Format;
pub use plan::{PlannedColumn, TranscodePlan, UnusualValues, Written, loaded_names};
pub use tally::{Change, Occurrences, Tally};
pub use time_zone::local_time_zone;
pub use transcode::{RowError, transcode};
pub use value_kind::{Storage, ValueKind};
pub use value_policies::{InvalidDates, InvalidUtf8, Nul, ValuePolicies, ZeroDates};
pub use wider::{Widening, Wider};
