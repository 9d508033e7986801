//! Whether the type that a statement gives a column is the one that the column has, in other words.

use crate::dump::mysql::definition::{DataType, TableDefinition};

pub(super) fn is_text(data_type: &DataType) -> bool {
    let name = data_type.name.as_str();
    ["char", "varchar", "enum", "set"].contains(&name) || name.ends_with("text")
}

/// Whether values of the types `new` and `old` of a column of `table` are the same.
pub(super) fn is_same_type(new: &DataType, old: &DataType, table: &TableDefinition) -> bool {
    let name = |data_type: &DataType| match data_type.name.as_str() {
        "integer" | "int4" => "int".to_owned(),
        "int1" | "bool" | "boolean" => "tinyint".to_owned(),
        "int2" => "smallint".to_owned(),
        "int3" => "mediumint".to_owned(),
        "int8" => "bigint".to_owned(),
        "dec" | "numeric" | "fixed" => "decimal".to_owned(),
        "real" => "double".to_owned(),
        known => known.to_owned(),
    };
    // The width of a whole number is for its display, but a `tinyint(1)` is taken for a truth value.
    let is_whole = name(old).ends_with("int") || old.name == "year";
    let is_truth = |data_type: &DataType| {
        ["bool", "boolean"].contains(&data_type.name.as_str())
            || name(data_type) == "tinyint" && data_type.numbers == [1]
    };
    let numbers = |data_type: &DataType| match data_type.numbers[..] {
        [] if name(data_type) == "decimal" => vec![10, 0],
        [precision] if name(data_type) == "decimal" => vec![precision, 0],
        _ => data_type.numbers.clone(),
    };
    let charset = |data_type: &DataType| {
        let of_collation = || {
            Some(
                data_type
                    .collation
                    .as_deref()?
                    .split('_')
                    .next()?
                    .to_owned(),
            )
        };
        let own = data_type.charset.clone().or_else(of_collation);
        own.or_else(|| table.options.charset.clone())
    };
    name(new) == name(old)
        && (is_whole || numbers(new) == numbers(old))
        && is_truth(new) == is_truth(old)
        && (&new.values, &new.bytes) == (&old.values, &old.bytes)
        && (new.unsigned, new.zerofill) == (old.unsigned, old.zerofill)
        && (!is_text(old) || charset(new) == charset(old))
}
