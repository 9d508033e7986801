//! What a target in PostgreSQL has of its own.

mod ci_migrate;
mod citus;
mod clusters;
pub(crate) mod decided_by_values;
pub(crate) mod definitions;
mod edge_cases;
mod forms_of_dumps;
mod generated_columns;
mod geometry;
pub(crate) mod gitlab_target;
mod kept;
mod many_rows;
mod map;
pub(crate) mod memory;
mod obstacles;
mod on_update;
pub(crate) mod private_server;
pub(crate) mod rollback;
pub(crate) mod target;
pub(crate) mod tls;
pub(crate) mod values;
mod vectors;
pub(crate) mod versions;
mod which_gitlab;
mod writers;
