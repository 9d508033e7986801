//! The servers that an import can go to: one folder each, with the same file names, and the code that they
//! share. All operations on a target go through the traits here.

pub mod about;
pub mod backup_source;
pub mod comparison;
pub mod description;
pub mod encrypted;
mod hints;
pub mod load;
pub mod locked_target;
pub mod migration;
pub mod mysql;
pub(crate) mod options;
pub mod postgresql;
pub mod target;

pub use about::About;
pub use backup_source::{BackupSource, DumpProgram};
pub use comparison::{Compared, Comparison, Verifies};
pub use description::Server;
pub use load::{Loading, Loads};
pub use locked_target::{LockedTarget, Rights};
pub use migration::InMigrationSession;
pub use target::Target;
