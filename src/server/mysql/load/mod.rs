//! Loads the tables of a dump into a staging database, where nobody sees them.

pub(crate) mod constraints;
pub(crate) mod create;
pub(crate) mod enums;
pub(crate) mod insert;
pub(crate) mod loader;
pub(crate) mod sent;
pub(crate) mod staging;
pub(crate) mod worker;
