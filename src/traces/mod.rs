//! Unpacks the build traces into a staging directory beside the final one.
//!
//! One thread inflates and reads the tar, several write. All files of a directory go to the same
//! writer, since the kernel lets only one at a time add to a directory anyway. The bytes in flight
//! are bounded; a large trace passes through in pieces.

#[cfg(feature = "servers")]
mod builds;
mod compare;
mod digest;
mod directory;
mod extract;
#[cfg(feature = "servers")]
mod kept;
mod pack;
#[cfg(feature = "servers")]
mod prefix;
mod room;
#[cfg(feature = "servers")]
mod without;
mod writer;

pub use crate::files::Owner;
#[cfg(feature = "servers")]
pub use builds::{Builds, LiveTraces, StagedTraces};
pub use compare::{Measured, Names, TraceFindings};
pub use digest::TraceDigest;
pub use directory::{BuildsDirectory, BuildsLock, StagedDirectory};
pub use extract::{TraceSummary, TraceSurvey, Wanted, empty_traces, survey};
#[cfg(feature = "servers")]
pub use kept::KeptPlace;
pub use pack::{Packed, pack, traces_in};
#[cfg(feature = "servers")]
pub use prefix::{BuildsPrefix, StagedPrefix, canonical, remove_traces, root_of};
pub use room::free_bytes;
#[cfg(feature = "servers")]
pub use without::{BuildWithout, Without, WithoutTrace};
