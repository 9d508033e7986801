//! What archives and dumps hold arrives, whichever program wrote them, or is refused.

pub(crate) mod any_table;
pub(crate) mod backups;
pub(crate) mod compressed;
pub(crate) mod converted_dumps;
pub(crate) mod converted_source;
pub(crate) mod damage;
pub(crate) mod damaged;
mod databases;
mod exported;
mod folders;
pub(crate) mod forms;
pub(crate) mod genuine;
pub(crate) mod keys_after_rows;
mod postgres_databases;
pub(crate) mod postgres_source;
pub(crate) mod refused_definitions;
pub(crate) mod secrets;
mod xml;
