//! The one step that changes live data in a MySQL target: moves the old tables aside and the staged tables
//! in, by one `RENAME TABLE`; renames directories; changes rows of GitLab. Also the way back.
//!
//! MySQL has no transaction over definitions. So the plan is recorded first, with the state `begun`. The
//! record becomes `published` in the transaction that changes the rows; the commit of this transaction is the
//! point of no return. Recovery undoes a publish whose record is `begun`, and completes one whose record is
//! `published`.
//!
//! | | what | the place of the record if interrupted |
//! |---|---|---|
//! | 1 | tables for the kept rows, then the record | in the database `passing` |
//! | 2 | the journal of the directories, on the disk | |
//! | 3 | CI switched off, the former state is kept; committed | |
//! | 4 | the moves, including the record: one `RENAME TABLE` | in the database `previous` |
//! | 5 | the directories | |
//! | 6 | tags merged, CI switched on, the record `published`; committed | |
//! | 7 | the data that the previous import had kept aside is dropped, then the journal | |
//!
//! From 4 to 7 the data that the previous import had kept aside is in `passing`. It returns if the publish is
//! undone.

mod carry_out;
pub(super) mod catalog;
mod discard;
mod examine;
mod holders;
pub(crate) mod kept;
mod live_input;
mod lock;
mod moves;
pub(crate) mod names;
mod passing;
mod record;
mod recover;
mod rollback;
mod steps;
mod swap;

pub use catalog::tables_of;
pub use discard::{discard, look_aside, traces_aside};
pub use examine::{examine, irreplaceable};
pub use holders::holders;
pub use live_input::{is_at_rest, known_prefixes, live_input, live_prefix};
pub(crate) use lock::alone;
pub(super) use names::{kept, kept_before, scratch};
pub use recover::{Undo, is_cut, recover};
pub use rollback::{previous_import, rollback};
pub use steps::Steps;
pub use swap::publish;
