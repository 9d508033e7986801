//! The names of replaced builds directories.

use std::ffi::OsString;

use crate::traces::BuildsDirectory;

/// The name of the builds directory that was replaced at `epoch`: `builds.<epoch>`, and in a mount point
/// `.ci_import_replaced.<epoch>`.
pub(crate) fn aside_name(builds: &BuildsDirectory, epoch: u64) -> OsString {
    let place = builds.place();
    if place.is_mount_point() {
        place.beside_named(&format!(".ci_import_replaced.{epoch}"))
    } else {
        place.beside_named(&format!(".{epoch}"))
    }
}
