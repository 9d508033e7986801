//! The description of a server.

use std::path::PathBuf;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The kind of the server and its version, in the server's words.
    pub version: String,
    /// The data directory, if the server runs on this machine and reports it.
    pub data_directory: Option<PathBuf>,
}
