//! Whether the values of an expression fit into the type of its column in MySQL. If the SQL mode is not strict, MySQL stores
//! the nearest value that does.

use super::translator::Translator;
use super::value::{Bound, Class, Value, range};
use crate::dump::mysql::definition::DataType;

impl Translator<'_> {
    /// Adds the condition that all values fit, unless that is known. None for types into which nothing is translated.
    pub(super) fn fits(&mut self, value: &Value, defined: &DataType) -> Option<()> {
        let sql = &value.sql;
        let is_number = matches!(
            value.class,
            Class::Integer | Class::Decimal | Class::Double | Class::Boolean
        );
        let is_text = matches!(value.class, Class::Text { .. } | Class::JsonText);
        let most_chars = defined.numbers.first().copied().unwrap_or(1);
        let is_known = is_same(&value.bound, defined)
            || is_within(value.bound.range(), range(&defined.name, defined.unsigned))
            || is_within(value.bound.range(), range_of_decimal(defined))
            || is_text
                && matches!(defined.name.as_str(), "varchar" | "char")
                && value.bound.chars().is_some_and(|chars| chars <= most_chars);
        let condition = match defined.name.as_str() {
            "year" | "set" | "enum" => return None,
            // The digits of a FLOAT in the dump are not all that MySQL has.
            "float" => {
                self.is_certain = false;
                return Some(());
            }
            "bit" if value.class != Class::Boolean => return None,
            _ if is_known => return Some(()),
            "decimal" | "numeric" | "dec" | "fixed" if is_number => {
                let digits =
                    |at: usize, default| defined.numbers.get(at).copied().unwrap_or(default);
                let (precision, scale) = (digits(0, 10), digits(1, 0));
                let least = if defined.unsigned { "0" } else { "-1" };
                let whole = precision.saturating_sub(scale);
                format!(
                    "round(({sql})::numeric, {scale}) > {least} * 10::numeric ^ {whole} AND round(({sql})::numeric, {scale}) < 10::numeric ^ {whole}"
                )
            }
            "varchar" | "char" if is_text => {
                format!("char_length({sql}) <= {most_chars}")
            }
            "tinytext" if is_text => format!("octet_length({sql}) <= 255"),
            "text" if is_text => format!("octet_length({sql}) <= 65535"),
            "varchar" | "char" | "varbinary" | "binary" if is_number => {
                format!("octet_length(({sql})::text) <= {most_chars}")
            }
            "double" | "real" => return Some(()),
            name if is_number => {
                let (least, most) = range(name, defined.unsigned)?;
                format!("round(({sql})::numeric) BETWEEN {least} AND {most}")
            }
            _ => return Some(()),
        };
        self.fit_conditions
            .push(format!("coalesce({condition}, true)"));
        Some(())
    }
}

impl Translator<'_> {
    /// Adds the condition that the result of whole numbers fits into MySQL's 64 bits, unless that is known. If the SQL mode
    /// is not strict, a row with a result that does not may be stored with another one.
    pub(super) fn fits_in_64_bits(&mut self, value: &Value) {
        let of_type = range("bigint", false);
        if value.class == Class::Integer && !is_within(value.bound.range(), of_type) {
            let (least, most) = (i64::MIN, i64::MAX);
            self.fit_conditions.push(format!(
                "coalesce({} BETWEEN {least} AND {most}, true)",
                value.sql
            ));
        }
    }
}

/// Whether a column has the type of another one.
fn is_same(bound: &Bound, defined: &DataType) -> bool {
    let Bound::Of(of) = bound else { return false };
    let has_length = matches!(defined.name.as_str(), "varchar" | "char" | "decimal");
    of.name == defined.name
        && of.unsigned == defined.unsigned
        && (!has_length || of.numbers == defined.numbers)
}

fn is_within(values: Option<(i128, i128)>, of_type: Option<(i128, i128)>) -> bool {
    values
        .zip(of_type)
        .is_some_and(|(values, of_type)| of_type.0 <= values.0 && values.1 <= of_type.1)
}

/// The range of whole numbers that a decimal holds.
fn range_of_decimal(defined: &DataType) -> Option<(i128, i128)> {
    if !matches!(
        defined.name.as_str(),
        "decimal" | "numeric" | "dec" | "fixed"
    ) {
        return None;
    }
    let digits = |at: usize, default| defined.numbers.get(at).copied().unwrap_or(default);
    let whole = u32::try_from(digits(0, 10).saturating_sub(digits(1, 0))).ok()?;
    let end = 10_i128.checked_pow(whole.min(38))?;
    Some(if defined.unsigned {
        (0, end - 1)
    } else {
        (1 - end, end - 1)
    })
}
