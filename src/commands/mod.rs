//! The commands, a file or folder each.

pub mod check;
pub mod convert;
pub mod destination;
pub mod estimate;
pub mod generate;
pub mod import;
pub mod inspect;
pub mod migrate;
pub mod rollback;
pub mod space;
pub mod verify;
