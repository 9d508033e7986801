//! How MySQL stores the value of an expression in a column of a type.

use super::translator::Translator;
use super::value::{Class, Value};
use crate::schema::model::DataType;

impl Translator<'_> {
    /// `value` as an expression that PostgreSQL assigns to a column of `data_type`.
    pub(super) fn assigned(&mut self, value: Value, data_type: &DataType) -> Option<String> {
        if value.class == Class::Null {
            return Some("NULL".to_owned());
        }
        match data_type {
            DataType::Smallint | DataType::Integer | DataType::Bigint | DataType::Numeric(..) => {
                self.number_assigned(value)
            }
            DataType::DoublePrecision => {
                let number = value.number()?;
                self.is_certain &= number.class == Class::Integer;
                Some(number.sql)
            }
            DataType::Boolean => match value.class {
                Class::Boolean => Some(value.sql),
                Class::Integer => {
                    // Other numbers than 0 and 1 would be lost.
                    self.is_certain = false;
                    Some(format!("({} <> 0)", value.sql))
                }
                _ => None,
            },
            DataType::Varchar(_) | DataType::Text => self.text_assigned(value),
            DataType::Char(_) => {
                self.is_certain = false;
                self.text_assigned(value)
            }
            // Digits have no backslash, which would be an escape.
            DataType::Bytea if matches!(value.class, Class::Integer | Class::Boolean) => {
                Some(format!("{}::bytea", value.text()?.sql))
            }
            DataType::Date => match value.class {
                Class::Date => Some(value.sql),
                Class::Timestamp { plain } => {
                    // MySQL rounds a fraction of a second up to the next day.
                    self.is_certain &= plain;
                    Some(format!("({})::date", value.sql))
                }
                _ => None,
            },
            DataType::Timestamp(digits) => match value.class {
                Class::Date => Some(format!("({})::timestamp without time zone", value.sql)),
                Class::Timestamp { plain } => {
                    self.is_certain &= plain || *digits == Some(6);
                    Some(value.sql)
                }
                _ => None,
            },
            DataType::Time(digits) if value.class == Class::Time => {
                self.is_certain &= *digits == Some(6);
                Some(value.sql)
            }
            DataType::Jsonb if value.class == Class::Json => Some(value.sql),
            _ => None,
        }
    }

    fn number_assigned(&mut self, value: Value) -> Option<String> {
        if let (Class::JsonText | Class::Json, Some(json)) = (value.class, &value.json) {
            self.conditions.push(format!(
                "coalesce(jsonb_typeof({json}) = 'number' AND ({json})::text ~ '^-?[0-9]{{1,15}}$', {json} IS NULL)"
            ));
            return Some(format!("({json})::text::numeric"));
        }
        let number = value.number()?;
        self.is_certain &= number.class != Class::Double;
        Some(number.sql)
    }

    fn text_assigned(&mut self, value: Value) -> Option<String> {
        if value.class != Class::JsonText {
            return Some(value.text()?.sql);
        }
        let json = value.json?;
        // Objects, arrays and numbers with a fraction have other notations.
        self.conditions.push(format!(
            "coalesce(jsonb_typeof({json}) IN ('string', 'boolean', 'null') OR ({json})::text ~ '^-?[0-9]{{1,15}}$', true)"
        ));
        Some(value.sql)
    }
}
