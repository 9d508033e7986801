//! How names are written in DDL.

use crate::schema::sql::{identifier, qualified};

/// How DDL is written for different readers of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style<'a> {
    /// The schema, or none for the current one.
    pub schema: Option<&'a str>,
    /// Whether sequences are created with the type of their column, which PostgreSQL 9 does not know; else they are
    /// given it by a statement of which that takes no notice.
    pub typed_sequences: bool,
}

impl<'a> Style<'a> {
    /// For a server of today, in `schema`.
    #[must_use]
    pub fn in_schema(schema: &'a str) -> Style<'a> {
        Style {
            schema: Some(schema),
            typed_sequences: true,
        }
    }

    /// `name` in the schema.
    #[must_use]
    pub fn name(self, name: &str) -> String {
        self.schema
            .map_or_else(|| identifier(name), |schema| qualified(schema, name))
    }
}
