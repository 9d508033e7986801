//! The one step that touches what is live: old tables aside, staged ones in, directories renamed;
//! in one transaction, in milliseconds.

mod directories;
mod grants;
mod preflight;
mod swap;

pub use preflight::{Live, examine, tables_of};
pub use swap::{PREVIOUS_SCHEMA, Publication, Published, Step, publish};
