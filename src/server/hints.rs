//! Hints that are the same for all servers.

/// The hint for a server that is away, or that does not report the cause.
pub(crate) const LOOK_AT_THE_LOG: &str = "look at the target server's log, then run it again";
