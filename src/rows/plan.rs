//! How the rows of one INSERT or COPY are transcoded: decided once per table, by column.

use std::collections::HashMap;
use std::sync::Arc;

use super::digest::Layout;
use super::format::Format;
use super::value_kind::{Storage, ValueKind};
use super::value_policies::ValuePolicies;
use super::wider::{Widening, Wider};
use crate::dump::charset::Multibyte;
use crate::dump::quoting::Quoting;

/// How the rows of one INSERT or COPY are transcoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscodePlan {
    /// The columns, in the order of the INSERT.
    pub columns: Vec<PlannedColumn>,
    /// How the rows are written in the dump.
    pub written: Written,
    /// The format the rows are written in.
    pub format: Format,
    /// Which bytes in the dump may be half a character, although they look like a quote or a backslash.
    pub multibyte: Multibyte,
    /// Whether the dump was decoded from UTF-16: bytes that are not ASCII came through a shell then.
    pub is_decoded: bool,
    /// Whether each row gets one more value, its number in its table, as a bigint.
    pub numbers_rows: bool,
    /// How quotes and backslashes in the dump are read.
    pub quoting: Quoting,
    /// What values that are not usual literals mean, for columns that are alike.
    pub unusual: Arc<Vec<UnusualValues>>,
    /// How the rows are hashed, if a checksum is wanted.
    pub layout: Option<Arc<Layout>>,
}

/// How rows are written in a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// As tuples of MySQL's literals.
    Tuples,
    /// As lines of COPY's text format, which are copied unchanged.
    Lines,
}

/// How the values of a column are transcoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedColumn {
    /// Its name.
    pub name: String,
    /// How its values are transcoded.
    pub kind: ValueKind,
    /// The type that stores them in PostgreSQL.
    pub storage: Storage,
    /// Whether NULL stands for a zero date: the column was NOT NULL, and the converter of GitLab CI wrote NULL.
    pub null_is_zero_date: bool,
    /// What the column becomes if a value does not fit into `storage`; an error if it is none.
    pub wider: Option<Wider>,
    /// Which of the plan's `unusual` is for it. A number, since a dump may have very many columns.
    pub unusual: u16,
    /// What is done with values that PostgreSQL cannot hold.
    pub policies: ValuePolicies,
}

/// What values of a column mean that are not usual literals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnusualValues {
    /// The literal of its default, if that is a constant: a row may have DEFAULT as a value. A backslash escapes in it.
    pub default: Option<String>,
    /// Whether a number becomes its digits in a text. In an enum it stands for another value.
    pub takes_numbers: bool,
}

impl PlannedColumn {
    /// A column whose values go as they are.
    #[must_use]
    pub fn as_is(name: &str) -> PlannedColumn {
        PlannedColumn {
            name: name.to_owned(),
            kind: ValueKind::Text,
            storage: Storage::Text,
            null_is_zero_date: false,
            wider: None,
            unusual: 0,
            policies: ValuePolicies::default(),
        }
    }
}

impl PlannedColumn {
    fn widen(&mut self, to: Wider) {
        self.storage = to.storage();
        self.wider = to.then();
        if matches!(to, Wider::Smallint | Wider::Numeric) {
            self.kind = ValueKind::Integer;
        }
        if to == Wider::Vector {
            self.kind = ValueKind::Vector { dimensions: None };
        }
    }
}

impl TranscodePlan {
    /// The plan after `widenings` of its columns.
    #[must_use]
    pub fn widened(&self, widenings: &[Widening]) -> TranscodePlan {
        let mut plan = self.clone();
        let mut places = HashMap::new();
        for (place, column) in self.columns.iter().enumerate() {
            places.entry(column.name.as_str()).or_insert(place);
        }
        for widening in widenings {
            if let Some(place) = places.get(widening.column.as_str()) {
                plan.columns[*place].widen(widening.to);
            }
        }
        plan
    }
}

/// The names of those of `columns` whose values are loaded, in their order.
pub fn loaded_names(columns: &[PlannedColumn]) -> impl Iterator<Item = &str> {
    let loaded = columns
        .iter()
        .filter(|column| column.kind != ValueKind::Skipped);
    loaded.map(|column| column.name.as_str())
}
