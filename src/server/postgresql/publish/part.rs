//! The parts of a publish: the tables of each schema, where they come from, and where those that they replace go.

use std::borrow::Cow;

use crate::publish::outcome::Publication;
use crate::publish::record::{Record, RecordOfSchema};
use crate::schema::{fitting, shown};
use crate::server::postgresql::load::staging_of;

/// The schema of the replaced tables, and of the record of the publish.
pub const PREVIOUS_SCHEMA: &str = "ci_import_previous";

/// The schema of the returning tables until the live tables are moved aside.
pub(super) const RETURNING_SCHEMA: &str = "ci_import_returning";

/// The schemas that belong to a schema of live tables.
pub(super) struct Schemas<'a> {
    /// The live one.
    pub(super) live: &'a str,
    /// Whether it is one of several.
    is_beside: bool,
}

/// A part of a publish.
pub(super) struct Part<'a> {
    pub(super) schemas: Schemas<'a>,
    /// The names of its tables.
    pub(super) tables: Vec<&'a str>,
}

impl<'a> Schemas<'a> {
    /// Of the schema `live`, which is the only one or one of several.
    fn of(live: &'a str, is_beside: bool) -> Schemas<'a> {
        Schemas { live, is_beside }
    }

    /// Where the tables are staged.
    pub(super) fn staging(&self) -> Cow<'static, str> {
        staging_of(self.is_beside.then_some(self.live))
    }

    /// Where replaced tables are kept.
    pub(super) fn previous(&self) -> Cow<'static, str> {
        self.beside(PREVIOUS_SCHEMA)
    }

    /// Where the kept tables are during a rollback.
    pub(super) fn returning(&self) -> Cow<'static, str> {
        self.beside(RETURNING_SCHEMA)
    }

    fn beside(&self, first: &'static str) -> Cow<'static, str> {
        if !self.is_beside {
            return first.into();
        }
        fitting(&format!("{first}.{}", self.live)).into()
    }

    /// How a table is called in messages.
    pub(super) fn shown(&self, table: &str) -> String {
        shown(self.is_beside.then_some(self.live), table)
    }
}

impl<'a> Part<'a> {
    /// The parts of a publication. The first one is of its own schema.
    pub(super) fn all(publication: &Publication<'a>) -> Vec<Part<'a>> {
        let first = Part {
            schemas: Schemas::of(publication.schema, false),
            tables: publication.tables.to_vec(),
        };
        let others = publication.others.iter().map(|other| Part {
            schemas: Schemas::of(other.schema, true),
            tables: other.tables.clone(),
        });
        std::iter::once(first).chain(others).collect()
    }
}

impl Record {
    /// What it says of each schema, its own first.
    pub(super) fn parts(&self) -> Vec<(Schemas<'_>, RecordOfSchema)> {
        let first = RecordOfSchema {
            schema: self.schema.clone(),
            published: self.published.clone(),
            replaced: self.replaced.clone(),
        };
        let others = self.others.iter();
        let others = others.map(|other| (Schemas::of(&other.schema, true), other.clone()));
        std::iter::once((Schemas::of(&self.schema, false), first))
            .chain(others)
            .collect()
    }

    /// Where the replaced tables are, in messages.
    pub(super) fn shown_previous(&self) -> String {
        if self.others.is_empty() {
            return PREVIOUS_SCHEMA.to_owned();
        }
        format!("{PREVIOUS_SCHEMA}.NAME, of the schema NAME")
    }

    /// The replaced tables, as they are called in messages.
    pub(super) fn shown_replaced(&self) -> Vec<String> {
        self.shown(|of_schema| of_schema.replaced)
    }

    /// The published tables likewise.
    pub(super) fn shown_published(&self) -> Vec<String> {
        self.shown(|of_schema| of_schema.published)
    }

    fn shown(&self, tables: fn(RecordOfSchema) -> Vec<String>) -> Vec<String> {
        let parts = self.parts().into_iter();
        let shown = parts.flat_map(|(schemas, of_schema)| {
            let tables = tables(of_schema).into_iter();
            tables
                .map(|table| schemas.shown(&table))
                .collect::<Vec<_>>()
        });
        shown.collect()
    }
}
