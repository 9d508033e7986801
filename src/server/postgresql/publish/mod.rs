//! The one step that changes live data: moves the old tables aside and the staged tables in, and renames
//! directories, in one transaction, in milliseconds. Also the way back.
//!
//! The modules `directories`, `journal` and `record` are shared with the other servers.

mod citus;
mod comments;
mod commit;
mod discard;
mod examine;
mod grants;
pub(crate) mod identity;
mod irreplaceable;
pub(crate) mod kept;
mod live_input;
mod lock;
mod obstacles;
mod part;
pub(crate) mod previous;
mod recover;
mod relations;
mod rollback;
mod standby;
mod swap;
mod table_settings;

pub use crate::publish::outcome::Live;
pub use crate::publish::outcome::Recovered;
pub use crate::publish::outcome::RolledBack;
pub use crate::publish::outcome::{Aside, Discarded};
pub use crate::publish::outcome::{Publication, Published};
pub use discard::{discard, look_aside, traces_aside};
pub use examine::{all_tables, examine, holders, tables_of};
pub use identity::identity;
pub use irreplaceable::irreplaceable;
pub use live_input::{is_at_rest, known_prefixes, live_input, live_prefix};
pub use part::PREVIOUS_SCHEMA;
pub use recover::{is_cut, recover};
pub use rollback::{Exchange, previous_import, rollback};
pub(crate) use standby::warn_if_missing;
pub use swap::{Steps, publish};
