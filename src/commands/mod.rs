//! The commands, each in a file or folder.

pub mod backup;
pub mod check;
pub mod convert;
pub mod destination;
pub mod discard;
pub mod documents;
pub mod estimate;
pub mod explain;
pub mod fresh;
pub mod generate;
pub mod import;
pub mod info;
pub mod inspect;
pub(crate) mod kept;
pub(crate) mod locked_for_change;
pub mod migrate;
pub mod plan;
pub mod private;
pub mod publish;
mod publishing;
pub mod recover;
pub mod redirect;
pub(crate) mod replacing;
pub mod rollback;
pub mod secrets;
pub mod space;
pub mod verify;
