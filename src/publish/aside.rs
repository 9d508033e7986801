//! The names of builds directories that were put aside.

use std::path::PathBuf;

use crate::traces::BuildsDirectory;

/// The path of the builds directory that was put aside at `epoch`.
pub(crate) fn aside(builds: &BuildsDirectory, epoch: u64) -> PathBuf {
    builds.beside(&format!(".{epoch}"))
}
