//! The names of types in a mapping file: those that PostgreSQL has for them.

use crate::dump::postgresql::definition::TypeName;
use crate::schema::from_postgresql;
use crate::schema::model::DataType;

/// The type that `text` names, such as `numeric(10,2)`.
pub(super) fn named(text: &str) -> Option<DataType> {
    let lower = text.to_ascii_lowercase();
    let (name, modifiers) = match lower.split_once('(') {
        None => (lower.as_str().to_owned(), Vec::new()),
        Some((before, rest)) => {
            let (numbers, after) = rest.split_once(')')?;
            let numbers = numbers.split(',').map(|number| number.trim().parse().ok());
            (
                format!("{before} {after}"),
                numbers.collect::<Option<Vec<u64>>>()?,
            )
        }
    };
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    from_postgresql::types::data_type(&TypeName {
        own_name: name.clone(),
        name,
        modifiers,
        is_array: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_in_postgresql() {
        for (text, expected) in [
            ("bigint", Some(DataType::Bigint)),
            ("INT", Some(DataType::Integer)),
            ("numeric(10, 2)", Some(DataType::Numeric(10, 2))),
            ("varchar(20)", Some(DataType::Varchar(20))),
            (
                "timestamp(3) with  time zone",
                Some(DataType::Timestamptz(Some(3))),
            ),
            ("timestamptz", Some(DataType::Timestamptz(None))),
            ("numeric(a)", None),
            ("numeric(1", None),
            ("mediumint", None),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
    }
}
