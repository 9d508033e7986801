//! The one step that touches what is live: old tables aside, staged ones in, directories renamed;
//! in one transaction, in milliseconds.

mod grants;
mod journal;
mod preflight;
mod recover;
mod swap;

pub use preflight::{Live, examine, tables_of};
pub use recover::{Recovered, recover};
pub use swap::{PREVIOUS_SCHEMA, Publication, Published, Step, publish};
