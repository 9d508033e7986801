//! The one step that touches what is live in a MySQL target: the old tables aside and the staged ones in,
//! by one `RENAME TABLE`; directories renamed; rows of GitLab's changed. And back again.
//!
//! MySQL has no transaction over definitions, so what is to be done is on record before anything is,
//! with the state `begun`. It becomes `published` in the transaction that changes the rows, and the
//! commit of that is the point of no return. Whoever finds the record `begun`, and no session that is
//! still at it, undoes what it says; whoever finds it `published` completes what is left to be done.
//!
//! | | what | where a cut leaves the record |
//! |---|---|---|
//! | 1 | tables for the rows that are kept, then the record | in the database `passing` |
//! | 2 | the journal of the directories, on the disk | |
//! | 3 | CI switched off, how it was is kept; committed | |
//! | 4 | the moves, of the record too: one `RENAME TABLE` | in the database `previous` |
//! | 5 | the directories | |
//! | 6 | tags merged, CI switched on, the record `published`; committed | |
//! | 7 | what the import before had put aside is dropped, then the journal | |
//!
//! What the import before had put aside waits in `passing` from 4 to 7, and comes back when it is undone.

mod carry_out;
pub(super) mod catalog;
mod discard;
mod examine;
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
pub use discard::{discard, look_aside, previous_directories};
pub use examine::{examine, holders};
pub(crate) use lock::alone;
pub(super) use names::{kept, kept_before, scratch};
pub use recover::{Undo, is_cut, recover};
pub use rollback::{previous_import, rollback};
pub use steps::Steps;
pub use swap::publish;
