//! Hints that are the same for all servers.

/// What to do where a server is away, or does not say what is wrong.
pub(crate) const LOOK_AT_THE_LOG: &str = "look at the target server's log, then run it again";
