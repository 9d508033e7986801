//! The table of the versions that were run. Rails creates and reads the same table; it holds texts, and nothing
//! else. Versions without a local file are ignored, as Rails does.

use super::version::Version;
use crate::error::Error;

/// Its name.
pub(crate) const TABLE: &str = "schema_migrations";

/// The statement that adds a version to `table`. `if_present` says what happens if it is there already: an
/// import may have added it meanwhile.
pub(crate) fn insert(table: &str, version: Version, if_present: &str) -> String {
    format!("INSERT INTO {table} (version) VALUES ('{version}') {if_present}")
}

/// The statement that deletes a version from `table`.
pub(crate) fn delete(table: &str, version: Version) -> String {
    format!("DELETE FROM {table} WHERE version = '{version}'")
}

/// The error for a relation in `schema` that has the name of the table but not its columns.
pub(crate) fn is_another_table(schema: &str) -> Error {
    Error::target(format!(
        "{schema}.{TABLE} is not the table of migrations that Rails makes: it has no column version of texts"
    ))
}
