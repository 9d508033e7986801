//! The names of replaced builds directories.

use std::path::PathBuf;

use crate::traces::BuildsDirectory;

/// The path of the builds directory that was replaced at `epoch`.
pub(crate) fn aside(builds: &BuildsDirectory, epoch: u64) -> PathBuf {
    builds.beside(&format!(".{epoch}"))
}
