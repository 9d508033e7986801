//! The one step that touches what is live: old tables aside, staged ones in, directories renamed;
//! in one transaction, in milliseconds. And back again.
//!
//! `directories`, `journal` and `record` know nothing of PostgreSQL: what publishes to another kind of
//! server has them too.

mod comments;
mod commit;
mod discard;
mod examine;
mod grants;
pub(crate) mod identity;
mod lock;
mod previous;
mod recover;
mod relations;
mod rollback;
mod swap;

pub use crate::publish::outcome::Live;
pub use crate::publish::outcome::Recovered;
pub use crate::publish::outcome::RolledBack;
pub use crate::publish::outcome::{Aside, Discarded};
pub use crate::publish::outcome::{Publication, Published};
pub use discard::{discard, look_aside, previous_directories};
pub use examine::{current_schema, examine, holders, tables_of};
pub use identity::identity;
pub use previous::PREVIOUS_SCHEMA;
pub use recover::{is_cut, recover};
pub use rollback::{Exchange, previous_import, rollback};
pub use swap::{Step, publish};
