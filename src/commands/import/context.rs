//! An import that is under way: what all of its steps need.

use std::time::Instant;

use crate::cancellation::Halt;
use crate::cli::settings::Settings;
use crate::commands::destination::PreparedTarget;
use crate::gitlab::content::Content;
use crate::ui::progress::Progress;

/// An import that is under way.
pub(super) struct Import<'a> {
    pub(super) started: Instant,
    /// What the input is called.
    pub(super) input: String,
    pub(super) settings: &'a Settings,
    pub(super) content: Content,
    pub(super) destination: &'a PreparedTarget,
    pub(super) progress: &'a Progress,
    pub(super) halt: &'a Halt,
}
