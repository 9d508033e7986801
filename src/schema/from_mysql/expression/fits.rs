//! Whether the values of an expression fit into the type of its column in MySQL. If the SQL mode is not strict, MySQL stores
//! the nearest value that does.

use super::translator::Translator;
use super::value::{Bound, Class, Value};
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
        let is_known = value.bound == Bound::Small || is_same(&value.bound, defined);
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
                let most = defined.numbers.first().copied().unwrap_or(1);
                format!("char_length({sql}) <= {most}")
            }
            "tinytext" if is_text => format!("octet_length({sql}) <= 255"),
            "text" if is_text => format!("octet_length({sql}) <= 65535"),
            "varchar" | "char" | "varbinary" | "binary" if is_number => {
                let most = defined.numbers.first().copied().unwrap_or(1);
                format!("octet_length(({sql})::text) <= {most}")
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

/// Whether a column has the type of another one.
fn is_same(bound: &Bound, defined: &DataType) -> bool {
    let Bound::Of(of) = bound else { return false };
    let has_length = matches!(defined.name.as_str(), "varchar" | "char" | "decimal");
    of.name == defined.name
        && of.unsigned == defined.unsigned
        && (!has_length || of.numbers == defined.numbers)
}

/// The range of a type of whole numbers (MySQL manual, 13.1.2).
fn range(name: &str, unsigned: bool) -> Option<(i128, i128)> {
    let bits = match name {
        "tinyint" | "int1" | "bool" | "boolean" => 8,
        "smallint" | "int2" => 16,
        "mediumint" | "int3" => 24,
        "int" | "integer" | "int4" => 32,
        "bigint" | "int8" => 64,
        _ => return None,
    };
    let count = 1_i128 << bits;
    Some(if unsigned {
        (0, count - 1)
    } else {
        (-count / 2, count / 2 - 1)
    })
}
