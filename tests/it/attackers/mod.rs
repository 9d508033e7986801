//! Archives by somebody who means harm.

pub(crate) mod builds_directories;
pub(crate) mod converted_archives;
pub(crate) mod database_objects;
pub(crate) mod hostile_archives;
pub(crate) mod in_between;
pub(crate) mod inflation_limit;
pub(crate) mod large_rows;
pub(crate) mod many_definitions;
pub(crate) mod many_traces;
pub(crate) mod names;
pub(crate) mod others_database_yml;
pub(crate) mod others_files;
pub(crate) mod secrets;
pub(crate) mod slow_definitions;
