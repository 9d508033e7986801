//! When tables are passed on: before their first rows, so that whatever changes them until then is part of their
//! definition. What changes them later is passed on at the end.

use super::consumer::Consumer;
use super::created::{Fate, Key, State, Statement};
use super::program::{KeysFollow, Program};
use super::reading::Reader;
use crate::dump::bounds::unknown_statement;
use crate::dump::mysql::definition::{ColumnDefinition, TableDefinition};
use crate::dump::mysql::statement::TableName;
use crate::error::{Error, Result};

impl<C: Consumer> Reader<C> {
    /// Takes `ALTER TABLE name …`. `text` is its beginning.
    pub(super) fn alter_table(
        &mut self,
        statement: &[u8],
        text: &str,
        name: &TableName,
    ) -> Result<()> {
        if !self.wants(name) {
            return Ok(());
        }
        let database = self.database_of(name);
        let key = (database, name.name.clone());
        match self.tables.of_key(&key).map(|created| created.fate) {
            // It is in the target, perhaps.
            None => return Err(self.placed(unknown_statement(text))),
            Some(Fate::Skipped | Fate::LeftOut(_)) => return Ok(()),
            Some(Fate::Taken) => {}
        }
        let statement = Statement {
            text: self.definition_text(statement, &name.name)?.into(),
            quoting: self.session.mode().quoting(),
        };
        self.count_definition(statement.text.as_bytes())?;
        let utc = self.session.is_utc();
        let Some(created) = self.tables.of_key(&key) else {
            return Ok(());
        };
        let was_changed = created.state == State::Changed;
        let altered = created.alter(&statement, key.0.as_deref(), utc);
        let is_changed = created.state == State::Changed;
        let name = &name.name;
        let has_not = altered.map_err(|error| {
            let hint = error.hint_text().map(str::to_owned);
            let hint = hint.unwrap_or_else(|| format!("--skip-table {name} leaves it out"));
            self.placed(error).hint(hint)
        })?;
        if has_not && self.session.mode().has_high_not() {
            let what = format!(
                "table {name}: its expressions have a NOT under HIGH_NOT_PRECEDENCE, which is not supported"
            );
            return Err(self.placed(Error::failed(what)));
        }
        if is_changed && !was_changed {
            self.tables.is_changed(key);
        }
        Ok(())
    }

    /// Passes on the table whose rows follow, and those before it.
    pub(super) fn before_rows(&mut self, database: Option<String>, name: &str) -> Result<()> {
        let key = (database, name.to_owned());
        match self.tables.of_key(&key).map(|created| created.state) {
            Some(State::Waiting) => {
                let program = self.program();
                let keys_follow = program.map_or(KeysFollow::All, Program::keys_follow);
                while let Some(next) = self.tables.next_waiting() {
                    self.pass_on(&next, keys_follow)?;
                    if next == key {
                        break;
                    }
                }
                Ok(())
            }
            Some(State::Changed) => {
                // Whoever takes it compares all of the table.
                let length = self.tables.of_key(&key).map_or(0, |created| created.length);
                let counted = self.definitions.add_again(length);
                counted.map_err(|error| self.placed(error))?;
                self.pass_on_changed(&key)
            }
            Some(State::Given) | None => Ok(()),
        }
    }

    /// Passes on what is left, at the end of the dump.
    pub(super) fn pass_on_all(&mut self) -> Result<()> {
        while let Some(key) = self.tables.next_waiting() {
            self.pass_on(&key, KeysFollow::Never)?;
        }
        while let Some(key) = self.tables.next_changed() {
            if let Some(created) = self.tables.of_key(&key) {
                created.is_undecided = false;
            }
            self.pass_on_changed(&key)?;
        }
        Ok(())
    }

    fn pass_on(&mut self, key: &Key, keys_follow: KeysFollow) -> Result<()> {
        let Some(created) = self.tables.of_key(key) else {
            return Ok(());
        };
        let Some(table) = created.pass_on() else {
            return Ok(());
        };
        let follow = match keys_follow {
            KeysFollow::Never => false,
            KeysFollow::All => table.keys.is_empty(),
            KeysFollow::Some => true,
        };
        // Their types depend on keys.
        created.is_undecided = follow && table.columns.iter().any(is_large_number);
        let facts = created.facts();
        if facts.keys_follow {
            self.tables.is_changed(key.clone());
        }
        self.consumer.table(table, &facts)
    }

    fn pass_on_changed(&mut self, key: &Key) -> Result<()> {
        let home = self.home(key.0.as_deref());
        let Some(created) = self.tables.of_key(key) else {
            return Ok(());
        };
        created.state = State::Given;
        let facts = created.facts();
        let changed: Option<&mut TableDefinition> = created.defined(key.0.as_deref())?;
        let Some(table) = changed else {
            return Ok(());
        };
        // Its text does not always say it.
        table.database = home;
        self.consumer.altered(table, &facts)
    }
}

fn is_large_number(column: &ColumnDefinition) -> bool {
    column.data_type.unsigned && ["bigint", "int8"].contains(&column.data_type.name.as_str())
}
