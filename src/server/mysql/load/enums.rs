//! Values that an enum does not have. MySQL stores them as an empty text, with the number 0 (MySQL manual,
//! 13.3.6 "The ENUM Type"), and warns about each one that is loaded. The expected number of these warnings is
//! no sign of damage.

use std::sync::{Mutex, PoisonError};

use memchr::memchr;

use crate::rows::{TranscodePlan, ValueKind};
use crate::server::mysql::mapping::Table;

/// The enums without the empty text, for each table in the order of the dump.
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

    /// The enums of the table with this number.
    pub(crate) fn of(&self, table: usize) -> Vec<String> {
        let tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tables.get(table).cloned().unwrap_or_default()
    }
}

/// The number of empty texts in the columns `enums` of `lines`, which `plan` has transcoded for LOAD DATA.
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
