//! How names in the staging schemas are written.

use std::borrow::Cow;

use crate::schema::{Table, ddl, fitting};

/// The schema where tables are loaded before the publish. Only one import at a time uses it.
pub const STAGING_SCHEMA: &str = "ci_import_staging";

/// What is between the name of the staging schema and that of the schema that tables go to, if they go to several.
pub(crate) const OF_SCHEMA: char = '.';

/// The schema where the tables are staged that go to `schema`, if they go to several, or to the only one.
#[must_use]
pub fn staging_of(schema: Option<&str>) -> Cow<'static, str> {
    match schema {
        None => STAGING_SCHEMA.into(),
        Some(schema) => fitting(&format!("{STAGING_SCHEMA}{OF_SCHEMA}{schema}")).into(),
    }
}

/// Where a table is staged.
pub(crate) struct Staged {
    schema: Cow<'static, str>,
    name: String,
}

impl Staged {
    pub(crate) fn of(table: &Table) -> Staged {
        Staged {
            schema: staging_of(table.schema.as_deref()),
            name: table.name.clone(),
        }
    }

    /// The schema.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// How names beside it are written.
    pub(crate) fn style(&self) -> ddl::Style<'_> {
        ddl::Style::in_schema(&self.schema)
    }

    /// The name of the table in SQL.
    pub(crate) fn name(&self) -> String {
        self.style().name(&self.name)
    }
}
