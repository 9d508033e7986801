//! What ALTER TABLE drops or renames by its name. What has none in the dump has got one from its server.

use super::{is_primary, name_keys};
use crate::dump::mysql::definition::cursor::DefinitionParser;
use crate::dump::mysql::definition::{KeyDefinition, KeyPartOf, TableDefinition};
use crate::error::Result;

/// How MariaDB names a CHECK that has no name.
const CHECK_OF_MARIADB: &str = "CONSTRAINT_";

impl DefinitionParser<'_> {
    /// What stands after DROP.
    pub(super) fn dropped(&mut self, table: &mut TableDefinition, is_given: bool) -> Result<()> {
        let is_primary_key = self.eat("PRIMARY");
        let is_foreign = self.eat("FOREIGN");
        let is_key = self.eat("KEY") || self.eat("INDEX");
        let is_constraint = self.eat("CONSTRAINT") || self.eat("CHECK");
        if self.is("PARTITION") || self.is("SYSTEM") || self.is("PERIOD") {
            return Err(self.refused("this change of a table is not supported"));
        }
        let before = (table.columns.len(), table.keys.len());
        if is_primary_key {
            table.keys.retain(|key| !is_primary(key));
            if table.keys.len() == before.1 {
                return Err(self.error("there is no primary key"));
            }
        } else if is_foreign || is_key || is_constraint {
            let may_be_missing = self.eat_if_exists();
            let name = self.name()?;
            name_all(table, &name);
            if !drop_named(
                table,
                &name,
                [is_key && !is_foreign, is_foreign, is_constraint],
            ) && !may_be_missing
            {
                return Err(self.error(&format!("there is no key or constraint {name}")));
            }
        } else {
            self.eat("COLUMN");
            let may_be_missing = self.eat_if_exists();
            let name = self.name()?;
            match self.place_of(table, &name) {
                Err(_) if may_be_missing => {}
                Err(error) => return Err(error),
                Ok(_) if table.keys.iter().any(|key| has_column(key, &name)) => {
                    return Err(self.refused("the dump drops a column that a key has"));
                }
                Ok(at) => drop(table.columns.remove(at)),
            }
        }
        if is_given && before != (table.columns.len(), table.keys.len()) {
            return Err(self.refused("the dump drops a key or column after the rows"));
        }
        Ok(())
    }

    fn eat_if_exists(&mut self) -> bool {
        let is_here = self.is("IF") && self.is_word_at(1, "EXISTS");
        self.at += 2 * usize::from(is_here);
        is_here
    }

    /// `RENAME KEY a TO b`
    pub(super) fn renamed_key(
        &mut self,
        table: &mut TableDefinition,
        is_given: bool,
    ) -> Result<()> {
        if is_given {
            return Err(self.refused("the dump renames a key after the rows"));
        }
        self.at += 2;
        let may_be_missing = self.eat_if_exists();
        let from = self.name()?;
        self.expect("TO")?;
        let to = self.name()?;
        name_all(table, &from);
        let mut keys = table.keys.iter_mut();
        match keys.find(|key| is_named(key.name.as_ref(), &from)) {
            Some(key) => key.name = Some(to),
            None if may_be_missing => {}
            None => return Err(self.error(&format!("there is no key {from}"))),
        }
        Ok(())
    }
}

fn is_named(known: Option<&String>, name: &str) -> bool {
    known.is_some_and(|known| known.eq_ignore_ascii_case(name))
}

fn has_column(key: &KeyDefinition, column: &str) -> bool {
    key.parts.iter().any(|part| match &part.of {
        KeyPartOf::Column(name) => name.eq_ignore_ascii_case(column),
        KeyPartOf::Expression(_) => false,
    })
}

/// Drops what is called `name`: a key, foreign key or CHECK, whichever it may be: a constraint is any of them. Returns
/// whether there is one.
fn drop_named(
    table: &mut TableDefinition,
    name: &str,
    [is_key, is_foreign, is_constraint]: [bool; 3],
) -> bool {
    let count =
        |table: &TableDefinition| table.keys.len() + table.foreign_keys.len() + table.checks.len();
    let before = count(table);
    if is_key || is_constraint {
        let is_it = |key: &KeyDefinition| {
            is_named(key.name.as_ref(), name)
                || is_primary(key) && name.eq_ignore_ascii_case("PRIMARY")
        };
        table.keys.retain(|key| !is_it(key));
    }
    if is_foreign || is_constraint {
        let keys = &mut table.foreign_keys;
        keys.retain(|key| !is_named(key.name.as_ref(), name));
    }
    if is_constraint {
        let checks = &mut table.checks;
        checks.retain(|(known, _)| !is_named(known.as_ref(), name));
    }
    // Such as a foreign key to another database.
    let mut left_out = table.left_out.iter();
    count(table) < before || left_out.any(|it| is_named(it.item.as_ref(), name))
}

/// Gives all keys and constraints of `table` that have no name the names that a server gives them, if none is called
/// `wanted`.
fn name_all(table: &mut TableDefinition, wanted: &str) {
    name_keys(table, 0);
    let foreign = table.foreign_keys.iter().map(|key| key.name.as_ref());
    let checks = table.checks.iter().map(|(name, _)| name.as_ref());
    if foreign.chain(checks).any(|name| is_named(name, wanted)) {
        return;
    }
    let begin = format!("{}_ibfk_", table.name);
    let foreign = table.foreign_keys.iter_mut();
    number(foreign.map(|key| &mut key.name).collect(), &begin);
    // A dump of MariaDB and one of MySQL look the same.
    let of_mariadb = wanted
        .get(..CHECK_OF_MARIADB.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(CHECK_OF_MARIADB));
    let begin = if of_mariadb {
        CHECK_OF_MARIADB.to_owned()
    } else {
        format!("{}_chk_", table.name)
    };
    let checks = table.checks.iter_mut();
    number(checks.map(|(name, _)| name).collect(), &begin);
}

/// Numbers the `names` that are missing, after the largest number of those that begin so.
fn number(names: Vec<&mut Option<String>>, begin: &str) {
    let number = |name: &String| {
        let rest = name.get(begin.len()..)?;
        let is_such = name[..begin.len()].eq_ignore_ascii_case(begin);
        rest.parse::<u32>().ok().filter(|_| is_such)
    };
    let known = names.iter().filter_map(|name| name.as_ref());
    let mut last = known.filter_map(number).max().unwrap_or(0);
    for name in names.into_iter().filter(|name| name.is_none()) {
        last = last.saturating_add(1);
        *name = Some(format!("{begin}{last}"));
    }
}
