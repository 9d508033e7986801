//! Whether there is enough space for the import.

use std::fmt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::traces::{BuildsDirectory, free_bytes};

/// Tables with their indexes and the write-ahead log are larger than their SQL.
const DATABASE_FACTOR: (u64, u64) = (3, 2);

/// Space in a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// The approximate need.
    pub needed: u64,
    /// The free space.
    pub free: u64,
}

impl Space {
    /// Whether the free space is enough.
    #[must_use]
    pub fn is_enough(self) -> bool {
        self.needed <= self.free
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
        write!(
            f,
            "{} MB needed, {} MB free",
            megabytes(self.needed),
            megabytes(self.free)
        )
    }
}

/// The space for `traces` bytes of traces beside `builds`; none if the file system does not report it.
#[must_use]
pub fn traces_space(builds: &BuildsDirectory, traces: u64) -> Option<Space> {
    builds.free_bytes().map(|free| Space {
        needed: traces,
        free,
    })
}

/// The space for the tables of `sql` bytes of SQL in the server's data directory; none if the directory is on
/// another machine or its file system does not report it.
#[must_use]
pub fn database_space(data_directory: &Path, sql: u64) -> Option<Space> {
    // The data directory may be unreadable, but a parent directory shows the file system.
    let free = data_directory.ancestors().find_map(free_bytes)?;
    Some(Space {
        needed: sql.saturating_mul(DATABASE_FACTOR.0) / DATABASE_FACTOR.1,
        free,
    })
}

/// An error if the traces cannot fit.
pub fn refuse_too_little(builds: &BuildsDirectory, least: u64) -> Result<()> {
    match traces_space(builds, least) {
        Some(space) if !space.is_enough() => Err(Error::failed(format!(
            "not enough space for the traces beside {}: at least {space}",
            builds.path().display()
        ))
        .hint("free some space, or name a --builds-path with more space")),
        _ => Ok(()),
    }
}
