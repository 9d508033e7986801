//! What a target in PostgreSQL has of its own.

pub(crate) mod edge_cases;
pub(crate) mod gitlab_target;
pub(crate) mod memory;
pub(crate) mod private_server;
pub(crate) mod rollback;
pub(crate) mod target;
pub(crate) mod tls;
pub(crate) mod values;
pub(crate) mod versions;
