//! Values that are none of an enum's. MySQL keeps them as an empty text, with the number 0 (MySQL manual,
//! 13.3.6 "The ENUM Type"), and warns when one is loaded: as many warnings as there are such values are no
//! sign of damage.

use std::sync::{Mutex, PoisonError};

use memchr::memchr;

use crate::rows::{TranscodePlan, ValueKind};
use crate::server::mysql::mapping::Table;

/// For each table, in the order they came, its enums that do not have the empty text.
#[derive(Debug, Default)]
pub(crate) struct Enums(Mutex<Vec<Vec<String>>>);

impl Enums {
    /// Adds the next table.
    pub(crate) fn add(&self, table: &Table) {
        let columns = table.definition.columns.iter().filter(|column| {
            let data_type = &column.data_type;
            data_type.name == "enum" && !data_type.values.iter().any(String::is_empty)
        });
        let names = columns.map(|column| column.name.clone()).collect();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(names);
    }

    /// Those of the table of this number.
    pub(crate) fn of(&self, table: usize) -> Vec<String> {
        let tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tables.get(table).cloned().unwrap_or_default()
    }
}

/// How many values of the columns `enums` in `lines`, which `plan` has made for LOAD DATA, are empty texts.
pub(crate) fn count_empty(enums: &[String], plan: &TranscodePlan, lines: &[u8]) -> u64 {
    if enums.is_empty() {
        return 0;
    }
    let is_one = |name: &str| enums.iter().any(|other| other.eq_ignore_ascii_case(name));
    let columns = plan.columns.iter();
    let written = columns.filter(|column| column.kind != ValueKind::Skipped);
    let places: Vec<bool> = written.map(|column| is_one(&column.name)).collect();
    let (mut count, mut rest) = (0, lines);
    while let Some(end) = memchr(b'\n', rest) {
        let values = rest[..end].split(|byte| *byte == b'\t').zip(&places);
        let empty = values.filter(|(value, is_enum)| **is_enum && value.is_empty());
        count += empty.count() as u64;
        rest = &rest[end + 1..];
    }
    count
}
