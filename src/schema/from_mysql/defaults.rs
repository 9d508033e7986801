//! Defaults of columns, as far as they mean the same in PostgreSQL.

use super::mapper::Mapper;
use crate::dump::mysql::definition::{ColumnDefinition, DefaultValue};
use crate::error::codes::Code;
use crate::schema::model::DataType;
use crate::schema::policies::Timestamps;
use crate::schema::sql;

impl Mapper<'_> {
    /// The default as SQL, if it can be kept.
    pub(super) fn default(
        &mut self,
        column: &ColumnDefinition,
        data_type: &DataType,
    ) -> Option<String> {
        let sql = match column.default.as_ref()? {
            DefaultValue::Null => return None,
            DefaultValue::Text(text) | DefaultValue::Number(text) => {
                constant(text, data_type).ok_or(text)
            }
            DefaultValue::Bits(digits) => match data_type {
                DataType::Bit(width) => {
                    let width = usize::try_from(*width).unwrap_or(0).min(64);
                    Ok(format!("B'{digits:0>width$}'"))
                }
                _ => constant(digits.trim_start_matches('0'), data_type).ok_or(digits),
            },
            DefaultValue::Hex(digits) if *data_type == DataType::Bytea => {
                Ok(format!("'\\x{digits}'::bytea"))
            }
            DefaultValue::Hex(digits) => Err(digits),
            DefaultValue::Expression(expression) => current_time(
                expression,
                &column.data_type.name,
                data_type,
                self.choices(column).timestamps,
            )
            .ok_or(expression),
        };
        match sql {
            Ok(sql) => Some(sql),
            Err(written) => {
                self.note(
                    Code::DefaultLeftOut,
                    Some(&column.name),
                    format!("default {written} left out"),
                );
                None
            }
        }
    }
}

/// A constant default as SQL, if it is one of `data_type`.
fn constant(text: &str, data_type: &DataType) -> Option<String> {
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    match data_type {
        DataType::Boolean => match text.trim_start_matches('0') {
            "" => Some("false".to_owned()),
            "1" => Some("true".to_owned()),
            _ => None,
        },
        DataType::Smallint
        | DataType::Integer
        | DataType::Bigint
        | DataType::Numeric(..)
        | DataType::Plain("numeric")
        | DataType::DoublePrecision => is_number.then(|| text.to_owned()),
        DataType::Varchar(_)
        | DataType::Char(_)
        | DataType::Text
        | DataType::Plain("character varying")
        | DataType::Enum(_)
        | DataType::Json
        | DataType::Jsonb
        | DataType::Uuid
        | DataType::Inet
        | DataType::Time(_)
        | DataType::Interval(_) => (!text.contains('\0')).then(|| sql::literal(text)),
        // Nothing else is mapped to the first, and the others have no constant defaults.
        DataType::Plain(_) | DataType::Array(_) | DataType::Geometry(_) | DataType::Vector(_) => {
            None
        }
        DataType::Bytea => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            Some(format!("'\\x{hex}'::bytea"))
        }
        DataType::Date | DataType::Timestamp(_) | DataType::Timestamptz(_) => {
            // A date with a zero part is no default; PostgreSQL judges all others.
            let mut parts = text.split([' ', '-']).take(3);
            let has_zero_part = parts.any(|part| part.trim_matches('0').is_empty());
            let zone = if matches!(data_type, DataType::Timestamptz(_)) {
                "+00"
            } else {
                ""
            };
            (!has_zero_part).then(|| sql::literal(&format!("{text}{zone}")))
        }
        DataType::Bit(_) => None,
    }
}

/// `CURRENT_TIMESTAMP` in its many spellings. A timestamp is in UTC, as in the dump, unless the policy makes it a local time;
/// that, and a datetime, is in the time zone of the session that inserts.
pub(super) fn current_time(
    expression: &str,
    mysql_type: &str,
    data_type: &DataType,
    timestamps: Timestamps,
) -> Option<String> {
    let name = expression
        .split('(')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_now =
        ["current_timestamp", "now", "localtime", "localtimestamp"].contains(&name.as_str());
    match (data_type, mysql_type) {
        _ if !is_now => None,
        (DataType::Timestamptz(_), _) => Some("now()".to_owned()),
        (DataType::Timestamp(_), "timestamp") if timestamps == Timestamps::Utc => {
            Some("timezone('UTC', now())".to_owned())
        }
        (DataType::Timestamp(_), _) => Some("LOCALTIMESTAMP".to_owned()),
        (DataType::Date, _) => Some("CURRENT_DATE".to_owned()),
        _ => None,
    }
}
