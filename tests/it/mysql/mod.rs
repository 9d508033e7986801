//! What a target in MariaDB or MySQL has of its own.

mod ci_migrate;
pub(crate) mod itself;
mod kept;
mod many_rows;
mod obstacles;
pub(crate) mod publish;
pub(crate) mod refusals;
pub(crate) mod rights;
pub(crate) mod tags;
pub(crate) mod target;
pub(crate) mod tls;
pub(crate) mod values;
mod which_gitlab;
