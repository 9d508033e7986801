//! Columns as operands of expressions.

use super::value::{Bound, Class, Value};
use crate::dump::mysql::definition::{ColumnDefinition, DataType as DefinedType, TableDefinition};
use crate::schema::model::{Column, DataType};
use crate::schema::sql::identifier;

/// A column that an expression may use.
#[derive(Debug, Clone)]
pub(in crate::schema::from_mysql) struct Operand<'a> {
    /// Its name in MySQL.
    #[cfg(test)]
    name: &'a str,
    definition: &'a ColumnDefinition,
    column: Column,
    is_utf8: bool,
}

/// The columns that an expression may use.
pub(in crate::schema::from_mysql) trait Operands {
    /// The one that MySQL calls `name`, in any case.
    fn named(&self, name: &str) -> Option<Operand<'_>>;
}

#[cfg(test)]
impl Operands for Vec<Operand<'_>> {
    fn named(&self, name: &str) -> Option<Operand<'_>> {
        let mut operands = self.iter();
        operands
            .find(|operand| operand.name.eq_ignore_ascii_case(name))
            .cloned()
    }
}

impl<'a> Operand<'a> {
    /// The column of `table` that has this definition there, and is `column` here.
    pub(in crate::schema::from_mysql) fn new(
        table: &TableDefinition,
        definition: &'a ColumnDefinition,
        column: &Column,
    ) -> Operand<'a> {
        let charset = definition.data_type.charset.as_ref();
        let of_collation = |name: &String| name.split('_').next().map(str::to_owned);
        let charset = charset
            .cloned()
            .or_else(|| {
                definition
                    .data_type
                    .collation
                    .as_ref()
                    .and_then(of_collation)
            })
            .or_else(|| table.options.charset.clone())
            .or_else(|| table.options.collation.as_ref().and_then(of_collation));
        let is_utf8 = charset.is_some_and(|name| name.starts_with("utf8") || name == "ascii");
        Operand {
            #[cfg(test)]
            name: &definition.name,
            definition,
            column: column.clone(),
            is_utf8,
        }
    }

    /// The name of the column in PostgreSQL.
    pub(super) fn name(&self) -> &str {
        &self.column.name
    }

    /// The value of the column.
    pub(super) fn value(&self) -> Value {
        let sql = identifier(&self.column.name);
        let written = &self.definition.data_type;
        let value = match &self.column.data_type {
            DataType::Smallint | DataType::Integer | DataType::Bigint => {
                Value::new(sql, Class::Integer)
            }
            // It may become a smallint when its values are known, which the cast does not mind.
            DataType::Boolean => Value::new(format!("{sql}::integer"), Class::Integer),
            DataType::Numeric(_, 0) => Value::numeric(sql, Class::Integer),
            DataType::Numeric(..) => Value {
                has_text: true,
                ..Value::numeric(sql, Class::Decimal)
            },
            // The digits of a FLOAT in the dump are not those that MySQL computes with.
            DataType::DoublePrecision if written.name != "float" => Value::new(sql, Class::Double),
            DataType::Varchar(_) | DataType::Text => {
                let utf8 = self.is_utf8;
                Value::new(sql, Class::Text { utf8 })
            }
            // Neither server counts the blanks at its end.
            DataType::Char(_) => {
                let utf8 = self.is_utf8;
                Value::new(format!("{sql}::text"), Class::Text { utf8 })
            }
            DataType::Date => Value::new(sql, Class::Date),
            DataType::Timestamp(digits) => {
                let plain = digits.unwrap_or(0) == 0 && written.name == "datetime";
                Value::new(sql, Class::Timestamp { plain })
            }
            DataType::Time(_) => Value::new(sql, Class::Time),
            DataType::Jsonb => Value::new(sql, Class::Json),
            _ => Value::new(sql, Class::Other),
        };
        let is_padded = written.zerofill || matches!(written.name.as_str(), "bit" | "year");
        Value {
            has_text: value.has_text && !is_padded,
            bound: Bound::Of(DefinedType {
                numbers: match written.name.as_str() {
                    "varchar" | "char" | "decimal" => written.numbers.clone(),
                    _ => Vec::new(),
                },
                name: written.name.clone(),
                unsigned: written.unsigned,
                ..DefinedType::default()
            }),
            ..value
        }
    }

    /// Whether its values may be changed during the load, or its type may.
    pub(in crate::schema::from_mysql) fn is_plain_number(&self) -> bool {
        let is_number = matches!(
            self.column.data_type,
            DataType::Smallint
                | DataType::Integer
                | DataType::Bigint
                | DataType::Numeric(..)
                | DataType::DoublePrecision
        );
        is_number && self.column.wider.is_none()
    }

    /// Whether its values are numbers or texts.
    pub(in crate::schema::from_mysql) fn is_number_or_text(&self) -> bool {
        matches!(
            self.column.data_type,
            DataType::Varchar(_) | DataType::Char(_) | DataType::Text
        ) || self.is_plain_number()
    }
}
