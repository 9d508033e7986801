//! The CHECKs of a table, which are added after its rows.

use std::collections::{HashMap, HashSet};

use super::ddl::column;
use super::expression::{only_column, rewritten};
use super::lookup::Lookup;
use super::sql::{identifier, qualified};
use crate::dump::mysql::definition::{bare_check, json_check};

/// The CHECKs of a table.
pub(super) struct Checks<'a> {
    lookup: &'a Lookup<'a>,
    /// The columns that exactly one CHECK without a name is about: a column cannot have several.
    with_one: HashSet<&'a str>,
}

impl<'a> Checks<'a> {
    /// Those of the table of `lookup`.
    pub(super) fn of(lookup: &'a Lookup<'a>) -> Checks<'a> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let checks = lookup.table.checks.iter();
        for (_, check) in checks.filter(|(name, _)| name.is_none()) {
            if let Some(column) = only_column(check, lookup) {
                *counts.entry(&column.name).or_default() += 1;
            }
        }
        let with_one = counts.into_iter().filter(|(_, count)| *count == 1);
        Checks {
            lookup,
            with_one: with_one.map(|(name, _)| name).collect(),
        }
    }

    /// The CHECKs to add after the rows: all except those that declare a column as JSON, which MariaDB has with
    /// the column. CHECKs with names come first, so that no generated name takes theirs.
    pub(super) fn late(&self) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
        let table = self.lookup.table;
        let json = table.columns.iter().map(|column| json_check(&column.name));
        let json: HashSet<String> = json.collect();
        let named = table.checks.iter().filter(|(name, _)| name.is_some());
        let unnamed = table.checks.iter().filter(|(name, _)| name.is_none());
        named
            .chain(unnamed.filter(move |(_, check)| !json.contains(&bare_check(check))))
            .map(|(name, check)| (name.as_deref(), check.as_str()))
    }

    /// The statement that adds a CHECK; none if its expression is not known to be safe. A CHECK without a name is
    /// added to its column, as MariaDB has it. As a table's CHECK it would get a name that may be in use.
    pub(super) fn add(
        &self,
        database: &str,
        name: Option<&str>,
        expression: &str,
    ) -> Option<String> {
        let lookup = self.lookup;
        let of = only_column(expression, lookup)
            .filter(|column| self.with_one.contains(column.name.as_str()));
        let expression = rewritten(expression, lookup)?;
        let addition = match (name, of) {
            (None, Some(of)) => format!("MODIFY {} CHECK ({expression})", column(of, lookup)),
            (None, None) => format!("ADD CHECK ({expression})"),
            (Some(name), _) => format!("ADD CONSTRAINT {} CHECK ({expression})", identifier(name)),
        };
        let table = qualified(database, &lookup.table.name);
        Some(format!("ALTER TABLE {table} {addition}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::mysql::definition::create_table;

    #[test]
    fn a_check_without_a_name_is_its_columns() {
        let table = create_table(
            "CREATE TABLE t (`a` int NOT NULL CHECK (`a` > 0), b int CHECK (b > a), c int CHECK (c > 1), \
             d json CHECK (json_valid(`d`)), CHECK (c < 9), CONSTRAINT `n` CHECK (`a` < 9))",
        )
        .unwrap();
        let lookup = Lookup::of(&table);
        let checks = Checks::of(&lookup);
        let added = checks
            .late()
            .map(|(name, check)| checks.add("s", name, check));
        assert_eq!(
            added.map(Option::unwrap).collect::<Vec<_>>(),
            [
                "ALTER TABLE `s`.`t` ADD CONSTRAINT `n` CHECK (`a` < 9)",
                "ALTER TABLE `s`.`t` MODIFY `a` int NOT NULL CHECK (`a` > 0)",
                "ALTER TABLE `s`.`t` ADD CHECK (`b` > `a`)",
                "ALTER TABLE `s`.`t` ADD CHECK (`c` > 1)",
                "ALTER TABLE `s`.`t` ADD CHECK (`c` < 9)",
            ]
        );
    }

    #[test]
    fn an_unknown_word_is_left_out() {
        let table = create_table("CREATE TABLE t (a int, CHECK (sleep(9)))").unwrap();
        let lookup = Lookup::of(&table);
        assert!(Checks::of(&lookup).add("s", None, "sleep(9)").is_none());
    }
}
