//! Whether there is room for what is to come.

use std::fmt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::traces::free_bytes;

/// Tables with their indexes, and the log that is written of them, are larger than their SQL.
const DATABASE_FACTOR: (u64, u64) = (3, 2);

/// Room in a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What is needed, more or less.
    pub needed: u64,
    /// What is free.
    pub free: u64,
}

impl Space {
    /// Whether it is enough.
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

/// The room for `traces` bytes of traces beside `builds`; none if the file system does not say.
#[must_use]
pub fn traces_space(builds: &Path, traces: u64) -> Option<Space> {
    let free = free_bytes(builds.parent().unwrap_or(builds))?;
    Some(Space {
        needed: traces,
        free,
    })
}

/// The room for the tables of `sql` bytes of SQL in the server's data directory; none if it is on
/// another machine or does not say.
#[must_use]
pub fn database_space(data_directory: &Path, sql: u64) -> Option<Space> {
    // The directory itself is the server's secret, but not the file system it is in.
    let free = data_directory.ancestors().find_map(free_bytes)?;
    Some(Space {
        needed: sql.saturating_mul(DATABASE_FACTOR.0) / DATABASE_FACTOR.1,
        free,
    })
}

/// An error if the traces cannot fit.
pub fn refuse_too_little(builds: &Path, least: u64) -> Result<()> {
    match traces_space(builds, least) {
        Some(space) if !space.is_enough() => Err(Error::failed(format!(
            "not enough space for the traces beside {}: at least {space}",
            builds.display()
        ))
        .hint("free some space, or name a --builds-path with more space")),
        _ => Ok(()),
    }
}
