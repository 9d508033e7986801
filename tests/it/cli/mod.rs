//! What users type, and what they are told.

mod book;
pub(crate) mod builds_owner;
mod check;
pub(crate) mod convert;
mod documents;
pub(crate) mod info;
pub(crate) mod leave_off;
mod messages;
pub(crate) mod once;
mod one_moment;
pub(crate) mod pipeline;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod refusals;
pub(crate) mod report_files;
pub(crate) mod reports;
mod suggest;
mod summary;
pub(crate) mod verify;
pub(crate) mod widths;
