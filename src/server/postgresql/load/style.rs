//! How names in the staging schema are written.

use crate::schema::ddl;

/// All names are in the staging schema.
pub(crate) const STYLE: ddl::Style<'_> = ddl::Style {
    schema: Some(STAGING_SCHEMA),
    typed_sequences: true,
};

/// The schema where tables are loaded before the publish. Only one import at a time uses it.
pub const STAGING_SCHEMA: &str = "ci_import_staging";
