//! Quotes names and texts for MySQL. Everything from a dump goes through this module.

pub use crate::dump::mysql::sql::{identifier, literal};

/// A table of a database, quoted.
#[must_use]
pub fn qualified(database: &str, name: &str) -> String {
    format!("{}.{}", identifier(database), identifier(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_one_by_one() {
        assert_eq!(qualified("d`", "t"), "`d```.`t`");
    }
}
