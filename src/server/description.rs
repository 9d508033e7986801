//! What a server says of itself.

use std::path::PathBuf;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// What it is and its version, as it writes it.
    pub version: String,
    /// Where its data are, if it runs on this machine and says so.
    pub data_directory: Option<PathBuf>,
}
