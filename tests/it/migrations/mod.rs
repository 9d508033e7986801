//! Migrations: those of a folder, and those that are built in.

pub(crate) mod built_in;
pub(crate) mod column_removal;
pub(crate) mod concurrent;
pub(crate) mod mysql;
pub(crate) mod mysql_built_in;
pub(crate) mod mysql_doubts;
pub(crate) mod of_strangers;
pub(crate) mod postgresql;
