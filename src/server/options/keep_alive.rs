//! How soon it is noticed that a server is gone without having closed its connections: after two minutes. A server that
//! works on a statement, for however long, answers these probes.

use std::time::Duration;

/// So long a connection is idle before the first probe.
pub(crate) const IDLE: Duration = Duration::from_secs(60);

/// The time between two probes.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);

/// So many probes without an answer end the connection.
pub(crate) const PROBES: u32 = 6;

/// So long may sent bytes be without an answer (tcp(7), `TCP_USER_TIMEOUT`).
pub(crate) const UNANSWERED: Duration = Duration::from_secs(120);
