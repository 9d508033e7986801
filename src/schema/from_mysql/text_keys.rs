//! Keys over texts: in MySQL they compare as the collation says, in PostgreSQL byte by byte.

use super::mapper::Mapper;
use crate::dump::mysql::definition::{ColumnDefinition, KeyDefinition, KeyKind, KeyPartOf};
use crate::error::codes::Code;

/// The types whose values are compared by a collation.
const TEXTS: [&str; 6] = [
    "char",
    "varchar",
    "tinytext",
    "text",
    "mediumtext",
    "longtext",
];

impl Mapper<'_> {
    /// Notes that a unique key compares texts in another way.
    pub(super) fn note_of_collation(&mut self, key: &KeyDefinition) {
        if !matches!(key.kind, KeyKind::Primary | KeyKind::Unique) {
            return;
        }
        let ignores_case = key.parts.iter().any(|part| match &part.of {
            KeyPartOf::Column(name) => self
                .definition_of(name)
                .is_some_and(|column| self.ignores_case(column)),
            KeyPartOf::Expression(_) => false,
        });
        if ignores_case {
            let name = key.name.clone().unwrap_or_else(|| "PRIMARY".to_owned());
            let what = "the key compares bytes now; in MySQL it ignored case";
            self.note(Code::KeyComparesBytes, Some(&name), what.to_owned());
        }
    }

    /// Whether texts of `column` that differ only in case or accents are the same. Most collations say so, and so do the
    /// defaults.
    fn ignores_case(&self, column: &ColumnDefinition) -> bool {
        if !TEXTS.contains(&column.data_type.name.as_str()) {
            return false;
        }
        let options = &self.definition.options;
        let (charset, collation) = match (&column.data_type.charset, &column.data_type.collation) {
            (None, None) => (&options.charset, &options.collation),
            own => own,
        };
        let tells_apart = |name: &String| {
            name == "binary" || ["_bin", "_cs"].iter().any(|end| name.ends_with(end))
        };
        let is_binary = charset.as_deref() == Some("binary");
        !is_binary && !collation.as_ref().is_some_and(tells_apart)
    }
}
