//! A running import: the data that its steps share.

use std::time::Instant;

use crate::cancellation::Cancellation;
use crate::cli::settings::Settings;
use crate::commands::destination::PreparedTarget;
use crate::gitlab::content::Content;
use crate::ui::progress::Progress;

/// A running import.
pub(super) struct Import<'a> {
    pub(super) started: Instant,
    /// The name of the input.
    pub(super) input: String,
    pub(super) settings: &'a Settings,
    pub(super) content: Content,
    pub(super) destination: &'a PreparedTarget,
    pub(super) progress: &'a Progress,
    pub(super) cancellation: &'a Cancellation,
}
