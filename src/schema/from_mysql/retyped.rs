//! Columns whose type a mapping file names: only such types as hold every value of the column as it is, or refuse it.

use super::mapper::Mapper;
use crate::dump::mysql::definition::ColumnDefinition;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::rows::ValueKind;
use crate::schema::model::DataType;
use crate::schema::policies::Tinyint1;

/// The bytes of a UUID.
const UUID_BYTES: u64 = 16;

impl Mapper<'_> {
    /// The type that the map names for `column`, and the kind of its values, which are `kind` in `data_type` otherwise.
    pub(super) fn retyped(
        &mut self,
        column: &ColumnDefinition,
        data_type: DataType,
        kind: ValueKind,
    ) -> Result<(DataType, ValueKind)> {
        let Some(wanted) = self.wanted_type(column) else {
            return Ok((data_type, kind));
        };
        let (table, name) = (&self.definition.name, self.dump_name(&column.name));
        if column.generated.is_some() {
            return Err(Error::usage(format!(
                "column {table}.{name}: it is generated, and its expression decides about its type"
            )));
        }
        let is_truthy = self.choices(column).tinyint1 == Tinyint1::Truthy;
        let kind = kind_of(column, (&data_type, kind), wanted, is_truthy);
        let kind = kind.ok_or_else(|| {
            let written = &column.data_type.name;
            Error::usage(format!(
                "column {table}.{name}: {written} cannot become {wanted}; without the map it becomes {data_type}"
            ))
            .hint("a type in the map must hold every value of the column as it is")
        })?;
        if *wanted != data_type {
            self.note(
                Code::OtherType,
                Some(&column.name.clone()),
                format!("{wanted} instead of {data_type}, as the map says"),
            );
        }
        Ok((wanted.clone(), kind))
    }
}

/// The kind of the values of `column`, which are `kind` in the type `usual`, if they become `wanted`. None if they cannot,
/// or if the server would change them without a word.
fn kind_of(
    column: &ColumnDefinition,
    (usual, kind): (&DataType, ValueKind),
    wanted: &DataType,
    is_truthy: bool,
) -> Option<ValueKind> {
    use DataType as T;
    if wanted == usual {
        return Some(kind);
    }
    let written = &column.data_type;
    let number = |at: usize| written.numbers.get(at).copied();
    let is_whole = matches!(wanted, T::Smallint | T::Integer | T::Bigint);
    let is_number = is_whole || matches!(wanted, T::Numeric(..) | T::Plain("numeric"));
    let is_text = matches!(wanted, T::Text | T::Plain("character varying"));
    // Only these have a sequence.
    if column.auto_increment && !is_whole {
        return None;
    }
    match kind {
        ValueKind::Integer
        | ValueKind::UnsignedToBigint
        | ValueKind::Boolean
        | ValueKind::Truthy => match wanted {
            T::Boolean if is_truthy => Some(ValueKind::Truthy),
            T::Boolean => Some(ValueKind::Boolean),
            _ => is_number.then_some(ValueKind::Integer),
        },
        ValueKind::Number => match (usual, wanted) {
            (_, T::Plain("numeric")) => Some(kind),
            (T::Numeric(_, scale), T::Numeric(_, other)) => (other >= scale).then_some(kind),
            (T::Numeric(_, 0), _) => is_whole.then_some(ValueKind::Integer),
            _ => None,
        },
        ValueKind::Text | ValueKind::EncodedText(_) => match (usual, wanted) {
            _ if is_text => Some(kind),
            (T::Varchar(length) | T::Char(length), T::Varchar(other)) => {
                (other >= length).then_some(kind)
            }
            (T::Uuid | T::Inet, _) => None,
            (_, T::Json | T::Jsonb | T::Uuid | T::Inet) => Some(kind),
            (T::Json | T::Jsonb, _) => None,
            (_, T::Date) => Some(ValueKind::Date),
            (_, T::Timestamp(None | Some(6)) | T::Timestamptz(None | Some(6))) => {
                Some(ValueKind::Timestamp)
            }
            (_, T::Time(None | Some(6))) => Some(ValueKind::Time),
            (_, T::Interval(None | Some(6))) => Some(ValueKind::Interval),
            _ => None,
        },
        ValueKind::Bytes => match wanted {
            T::Uuid => (number(0) == Some(UUID_BYTES)).then_some(kind),
            _ => is_text.then_some(ValueKind::Text),
        },
        ValueKind::Date => is_text.then_some(ValueKind::Text),
        ValueKind::Timestamp | ValueKind::LocalTimestamp => match wanted {
            T::Timestamp(digits) if holds(*digits, number(0)) => Some(kind),
            T::Timestamptz(digits) if holds(*digits, number(0)) => Some(ValueKind::Timestamp),
            _ => is_text.then_some(ValueKind::Text),
        },
        ValueKind::Time | ValueKind::Interval => match wanted {
            T::Time(digits) if holds(*digits, number(0)) => Some(ValueKind::Time),
            T::Interval(digits) if holds(*digits, number(0)) => Some(ValueKind::Interval),
            _ => is_text.then_some(ValueKind::Text),
        },
        ValueKind::AsWritten
        | ValueKind::BitBoolean
        | ValueKind::Bits { .. }
        | ValueKind::Geometry { .. }
        | ValueKind::Vector { .. }
        | ValueKind::Skipped => None,
    }
}

/// Whether a type with `digits` of a second holds the values of one with `written` digits in MySQL.
fn holds(digits: Option<u64>, written: Option<u64>) -> bool {
    digits.unwrap_or(6) >= written.filter(|digits| *digits <= 6).unwrap_or(0)
}
