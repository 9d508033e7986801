//! How names are written of what goes into the staging schema.

use crate::schema::ddl;

/// Everything here goes into the staging schema.
pub(crate) const STYLE: ddl::Style<'_> = ddl::Style {
    schema: Some(STAGING_SCHEMA),
    typed_sequences: true,
};

/// Where tables are loaded before they are published. One import at a time has it.
pub const STAGING_SCHEMA: &str = "ci_import_staging";
