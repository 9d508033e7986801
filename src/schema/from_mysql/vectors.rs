//! Vectors of MySQL 9 and MariaDB 11.7.

use super::mapper::Mapper;
use crate::dump::mysql::definition::ColumnDefinition;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::rows::ValueKind;
use crate::schema::model::{DataType, Vector};
use crate::schema::policies::{Extension, Vectors};

/// What MySQL takes if a definition names no number (manual, 13.3.5).
const DEFAULT_DIMENSIONS: u64 = 2048;

/// The most entries of pgvector's `vector`.
const MAX_DIMENSIONS: u16 = 16_000;

impl Mapper<'_> {
    /// A column of vectors.
    pub(super) fn vector(&mut self, column: &ColumnDefinition) -> Result<(DataType, ValueKind)> {
        let written = column.data_type.numbers.first().copied();
        let count = written.unwrap_or(DEFAULT_DIMENSIONS);
        let dimensions = u16::try_from(count).ok();
        let dimensions = dimensions.filter(|count| (1..=MAX_DIMENSIONS).contains(count));
        let choice = self.choices(column).vectors;
        let schema = match (choice, &self.policies.pgvector) {
            (Vectors::Auto | Vectors::Pgvector, Extension::In(schema)) => Ok(Some(schema.clone())),
            (Vectors::Pgvector, Extension::Somewhere) => Ok(None),
            (Vectors::Auto | Vectors::Pgvector, Extension::Missing) => {
                Err("the database does not have pgvector")
            }
            (Vectors::Real, _) => Err("--vector real"),
            (Vectors::Auto, Extension::Somewhere) => {
                Err("no target says that it has pgvector; --vector pgvector does")
            }
        };
        let wanted = match (schema, dimensions) {
            (Ok(schema), Some(_)) => Ok(Vector { schema, dimensions }),
            (Ok(_), None) => Err("pgvector has at most 16,000 entries"),
            (Err(why), _) => Err(why),
        };
        match wanted {
            Ok(vector) => {
                let values = ValueKind::Vector { dimensions };
                Ok((DataType::Vector(vector), values))
            }
            Err(why) if choice == Vectors::Pgvector => {
                let leaves_out = self.leaving_out("vector");
                let (table, column) = (&self.definition.name, &column.name);
                Err(Error::failed(format!(
                    "column {table}.{column}: vector({count}) is not possible: {why}"
                ))
                .hint(format!(
                    "CREATE EXTENSION vector in the database; or --vector real makes it real[]; or {leaves_out}"
                )))
            }
            Err(why) => {
                let what = format!("vector({count}) is real[] now: {why}");
                self.note(Code::OtherType, Some(&column.name), what);
                let real = Box::new(DataType::Plain("real"));
                let values = ValueKind::Vector { dimensions: None };
                Ok((DataType::Array(real), values))
            }
        }
    }
}
