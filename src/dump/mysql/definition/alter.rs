//! `ALTER TABLE`, which changes the definition of a table: phpMyAdmin and others write the keys of a table so, after its
//! rows.
//!
//! The grammar is that of the MySQL 8.0 Reference Manual, chapter 15.1.9 (ALTER TABLE). What is after the rows may not
//! change them: other columns and other types of columns are refused then.

mod index;
mod named;
mod same_type;

use std::collections::{HashMap, HashSet};

use self::same_type::{is_same_type, is_text};
use super::cursor::DefinitionParser;
use super::model::{
    ColumnDefinition, DefaultValue, KeyDefinition, KeyKind, KeyPartOf, LeftOut, TableDefinition,
};
use super::statements::MAX_ELEMENTS;
use crate::dump::mysql::lexer::{Token, TokenKind, tokens_in};
use crate::dump::quoting::Quoting;
use crate::error::Result;
use crate::error::codes::Code;

/// MySQL has at most 64 keys of a table, MariaDB 128.
const MAX_KEYS: usize = 256;

/// The words that begin a key or constraint after ADD.
const ELEMENTS: [&str; 8] = [
    "CONSTRAINT",
    "PRIMARY",
    "UNIQUE",
    "FULLTEXT",
    "SPATIAL",
    "KEY",
    "INDEX",
    "FOREIGN",
];

/// The options of a table that may stand without a `=`.
const OPTIONS: [&str; 10] = [
    "AUTO_INCREMENT",
    "ENGINE",
    "TYPE",
    "ROW_FORMAT",
    "COLLATE",
    "COMMENT",
    "CHARSET",
    "CHARACTER",
    "TABLESPACE",
    "STORAGE",
];

/// The options of MySQL and MariaDB that may stand before a `=` only. They have no effect on rows.
const OPTIONS_WITH_SIGN: &str = " AUTOEXTEND_SIZE AVG_ROW_LENGTH CHECKSUM COMPRESSION CONNECTION DELAY_KEY_WRITE ENCRYPTED \
    ENCRYPTION ENCRYPTION_KEY_ID ENGINE_ATTRIBUTE IETF_QUOTES INSERT_METHOD ITEF_QUOTES KEY_BLOCK_SIZE MAX_ROWS MIN_ROWS \
    PACK_KEYS PAGE_CHECKSUM PAGE_COMPRESSED PAGE_COMPRESSION_LEVEL PASSWORD RAID_CHUNKS RAID_CHUNKSIZE RAID_TYPE \
    SECONDARY_ENGINE SECONDARY_ENGINE_ATTRIBUTE STATS_AUTO_RECALC STATS_PERSISTENT STATS_SAMPLE_PAGES TABLE_CHECKSUM \
    TRANSACTIONAL UNION ";

/// Changes `table` as `statement` says: an ALTER TABLE, CREATE INDEX or DROP INDEX. If the table `is_given`, it may have rows, which stay as they are.
/// Returns whether an expression has a NOT.
pub(in crate::dump) fn alter_table(
    table: &mut TableDefinition,
    statement: &str,
    quoting: Quoting,
    is_given: bool,
) -> Result<bool> {
    let mut tokens = tokens_in(statement, quoting)?;
    // The delimiter.
    tokens.pop_if(|last| last.kind == TokenKind::Symbol(';'));
    let mut parser = DefinitionParser::new(statement, &tokens, quoting);
    parser.alterations(table, is_given)?;
    Ok(parser.has_not())
}

impl DefinitionParser<'_> {
    fn alterations(&mut self, table: &mut TableDefinition, is_given: bool) -> Result<()> {
        self.place = format!("table {}", table.name);
        let (keys, foreign) = (table.keys.len(), table.foreign_keys.len());
        if self.change_of_index(table, is_given)? {
            self.check_size(table, keys)?;
            write_columns_exactly(table, keys, foreign);
            return Ok(());
        }
        self.expect("ALTER")?;
        self.skip_words(&["ONLINE", "OFFLINE"]);
        let ignores = self.eat("IGNORE");
        self.skip_words(&["ONLINE", "OFFLINE"]);
        self.expect("TABLE")?;
        self.skip_words(&["IF", "EXISTS"]);
        self.qualified_name()?;
        while self.peek().is_some() {
            self.alteration(table, is_given)?;
            self.check_size(table, keys)?;
            self.eat_symbol(',');
        }
        let new_keys = table.keys.get(keys..).unwrap_or_default();
        let is_unique =
            |key: &KeyDefinition| matches!(key.kind, KeyKind::Primary | KeyKind::Unique);
        if ignores && is_given && new_keys.iter().any(is_unique) {
            let why = "the dump deletes rows that have the same key, by ALTER IGNORE";
            return Err(self.refused(why));
        }
        for option in std::mem::take(&mut self.storage) {
            if !table.options.storage.contains(&option) {
                table.options.storage.push(option);
            }
            self.check_size(table, keys)?;
        }
        write_columns_exactly(table, keys, foreign);
        fill_primary_key(table);
        Ok(())
    }

    /// Refuses a table that many statements have made too large; so many `keys` it had before.
    fn check_size(&self, table: &TableDefinition, keys: usize) -> Result<()> {
        let parts = [
            table.columns.len(),
            table.keys.len(),
            table.foreign_keys.len(),
            table.checks.len(),
            table.periods.len(),
            table.left_out.len(),
            table.options.storage.len(),
        ];
        if table.keys.len() > MAX_KEYS.max(keys) {
            return Err(self.error(&format!("more than {MAX_KEYS} keys")));
        }
        if parts.iter().sum::<usize>() <= MAX_ELEMENTS {
            return Ok(());
        }
        let what = format!("more than {MAX_ELEMENTS} columns, keys and constraints");
        Err(self.error(&what))
    }

    fn alteration(&mut self, table: &mut TableDefinition, is_given: bool) -> Result<()> {
        if self.eat("ADD") {
            self.added(table, is_given)
        } else if self.eat("MODIFY") {
            self.eat("COLUMN");
            self.skip_words(&["IF", "EXISTS"]);
            self.modified(table, None, is_given)
        } else if self.eat("CHANGE") {
            self.eat("COLUMN");
            self.skip_words(&["IF", "EXISTS"]);
            let name = self.name()?;
            self.modified(table, Some(name), is_given)
        } else if self.eat("ALTER") {
            self.altered(table)
        } else if self.eat("DROP") {
            self.dropped(table, is_given)
        } else if self.eat("CONVERT") {
            self.converted(table, is_given)
        } else if self.is("RENAME") && (self.is_word_at(1, "KEY") || self.is_word_at(1, "INDEX")) {
            self.renamed_key(table, is_given)
        } else if self.eat("ORDER") {
            self.expect("BY")?;
            self.order(table)
        } else if self.is("PARTITION") && self.is_word_at(1, "BY") {
            self.partitions(table)
        } else {
            self.changed_option(table, is_given)
        }
    }

    /// `a, b DESC` after ORDER BY. A name after a comma that is no column begins the next change.
    fn order(&mut self, table: &TableDefinition) -> Result<()> {
        loop {
            let name = self.name()?;
            self.place_of(table, &name)?;
            let _ = self.eat("ASC") || self.eat("DESC");
            let is_column = |token: &Token| match &token.kind {
                TokenKind::Word(name) | TokenKind::Identifier(name) => {
                    self.place_of(table, name).is_ok()
                }
                _ => false,
            };
            let ends = |at: usize| {
                let words = ["ASC", "DESC"];
                self.tokens.len() <= self.at + at
                    || self.is_symbol_at(at, ',')
                    || words.iter().any(|word| self.is_word_at(at, word))
            };
            let next = self.tokens.get(self.at + 1);
            let goes_on = self.is_symbol(',') && next.is_some_and(is_column) && ends(2);
            if !goes_on {
                return Ok(());
            }
            self.at += 1;
        }
    }

    /// The partitions, which stand at the end of a statement.
    fn partitions(&mut self, table: &mut TableDefinition) -> Result<()> {
        leave_out_partitions(table);
        self.skip_element();
        if self.peek().is_some() {
            return Err(self.refused("something follows the partitions of a table"));
        }
        Ok(())
    }

    /// What is without effect on the table, and the options of a table.
    fn changed_option(&mut self, table: &mut TableDefinition, is_given: bool) -> Result<()> {
        let is_switch = self.is("DISABLE") || self.is("ENABLE");
        if is_switch && self.is_word_at(1, "KEYS") {
            self.at += 2;
            return Ok(());
        }
        if self.eat("FORCE") || self.eat("NOWAIT") {
            return Ok(());
        }
        if ["ALGORITHM", "LOCK", "WAIT"]
            .iter()
            .any(|word| self.eat(word))
        {
            return self.option_value().map(drop);
        }
        if ["WITH", "WITHOUT"].iter().any(|word| self.is(word)) && self.is_word_at(1, "VALIDATION")
        {
            self.at += 2;
            return Ok(());
        }
        if !self.is_option() {
            return Err(self.refused("this change of a table is not supported"));
        }
        let (charset, collation) = (
            table.options.charset.clone(),
            table.options.collation.clone(),
        );
        self.option(&mut table.options)?;
        if table.options.charset != charset || table.options.collation != collation {
            if is_given {
                let why = "the dump changes the character set of a table after its rows";
                return Err(self.refused(why));
            }
            // The columns keep theirs.
            for column in table.columns.iter_mut().filter(|it| is_text(&it.data_type)) {
                let data_type = &mut column.data_type;
                if data_type.charset.is_none() && data_type.collation.is_none() {
                    data_type.charset.clone_from(&charset);
                    data_type.collation.clone_from(&collation);
                }
            }
        }
        Ok(())
    }

    /// Whether an option of a table stands here.
    fn is_option(&self) -> bool {
        let is = |words: &[&str]| {
            let mut words = words.iter().enumerate();
            words.all(|(at, word)| self.is_word_at(at, word))
        };
        if self.is_symbol_at(1, '=') {
            let known = self.peek().is_some_and(|token| match &token.kind {
                TokenKind::Word(word) => {
                    OPTIONS_WITH_SIGN.contains(&format!(" {} ", word.to_ascii_uppercase()))
                }
                _ => false,
            });
            return known || OPTIONS.iter().any(|word| self.is(word));
        }
        let defaults = ["CHARSET", "CHARACTER", "COLLATE"];
        is(&["DATA", "DIRECTORY"])
            || is(&["INDEX", "DIRECTORY"])
            || self.is("DEFAULT") && defaults.iter().any(|word| self.is_word_at(1, word))
            || OPTIONS.iter().any(|word| self.is(word))
    }

    /// What stands after ADD.
    fn added(&mut self, table: &mut TableDefinition, is_given: bool) -> Result<()> {
        if self.is("PARTITION") {
            return self.partitions(table);
        }
        let is_two = |word: &str, next: &[&str]| {
            self.is(word) && next.iter().any(|it| self.is_word_at(1, it))
        };
        let is_check = self.is("CHECK") && self.is_symbol_at(1, '(');
        if ELEMENTS.iter().any(|word| self.is(word))
            || is_check
            || is_two("PERIOD", &["FOR"])
            || is_two("VECTOR", &["KEY", "INDEX"])
        {
            let had_primary = has_primary_key(table);
            let before = table.keys.len();
            self.element(table)?;
            if had_primary && table.keys[before..].iter().any(is_primary) {
                return Err(self.refused("the dump adds a second primary key"));
            }
            name_keys(table, before);
            return Ok(());
        }
        if self.is("SYSTEM") && self.is_word_at(1, "VERSIONING") {
            return Err(self.refused("this change of a table is not supported"));
        }
        if is_given {
            return Err(self.refused("the dump adds a column after the rows"));
        }
        self.eat("COLUMN");
        if !self.eat_symbol('(') {
            return self.added_column(table);
        }
        loop {
            self.added_column(table)?;
            if !self.eat_symbol(',') {
                return self.symbol(')');
            }
        }
    }

    fn added_column(&mut self, table: &mut TableDefinition) -> Result<()> {
        let (column, at) = self.new_column(table)?;
        if self.place_of(table, &column.name).is_ok() {
            return Err(self.refused("the dump adds a column that the table has"));
        }
        table
            .columns
            .insert(at.unwrap_or(table.columns.len()), column);
        Ok(())
    }

    /// Reads a column, whose keys and CHECKs go to `table`; returns it, and its new place if it has one.
    fn new_column(
        &mut self,
        table: &mut TableDefinition,
    ) -> Result<(ColumnDefinition, Option<usize>)> {
        let mut part = TableDefinition::new(table.name.clone());
        part.options.charset.clone_from(&table.options.charset);
        part.options.collation.clone_from(&table.options.collation);
        self.column(&mut part)?;
        self.resolve_values(&mut part)?;
        let Some(column) = part.columns.pop() else {
            return Err(self.unexpected());
        };
        let at = if self.eat("FIRST") {
            Some(0)
        } else if self.eat("AFTER") {
            let name = self.name()?;
            Some(1 + self.place_of(table, &name)?)
        } else {
            None
        };
        let before = table.keys.len();
        table.keys.append(&mut part.keys);
        name_keys(table, before);
        for check in part.checks {
            if !table.checks.contains(&check) {
                table.checks.push(check);
            }
        }
        for what in part.left_out {
            if !table.left_out.contains(&what) {
                table.left_out.push(what);
            }
        }
        Ok((column, at))
    }

    fn place_of(&self, table: &TableDefinition, column: &str) -> Result<usize> {
        let mut columns = table.columns.iter();
        columns
            .position(|known| known.name.eq_ignore_ascii_case(column))
            .ok_or_else(|| self.error(&format!("there is no column {column}")))
    }

    /// MODIFY or CHANGE of the column `name`, or of the one that is named in the new definition.
    fn modified(
        &mut self,
        table: &mut TableDefinition,
        name: Option<String>,
        is_given: bool,
    ) -> Result<()> {
        let (mut new, to) = self.new_column(table)?;
        let name = name.unwrap_or_else(|| new.name.clone());
        let at = self.place_of(table, &name)?;
        let old = &table.columns[at];
        if !new.name.eq_ignore_ascii_case(&old.name) {
            return Err(self.refused("the dump renames a column"));
        }
        new.name.clone_from(&old.name);
        if is_given {
            let moves = to.is_some_and(|to| to != at && to != at + 1);
            if moves
                || new.generated != old.generated
                || !is_same_type(&new.data_type, &old.data_type, table)
                || old.auto_increment && !new.auto_increment
            {
                let why = "the dump changes the type or place of a column after the rows";
                return Err(self.refused(why));
            }
            new.data_type.clone_from(&old.data_type);
        }
        let Some(to) = to.filter(|_| !is_given) else {
            table.columns[at] = new;
            return Ok(());
        };
        table.columns.remove(at);
        table.columns.insert(to - usize::from(to > at), new);
        Ok(())
    }

    /// `ALTER COLUMN c SET DEFAULT …`, `DROP DEFAULT`
    fn altered(&mut self, table: &mut TableDefinition) -> Result<()> {
        if ["INDEX", "CHECK", "CONSTRAINT"]
            .iter()
            .any(|word| self.is(word))
        {
            return Err(self.refused("this change of a table is not supported"));
        }
        self.eat("COLUMN");
        let name = self.name()?;
        let at = self.place_of(table, &name)?;
        if self.eat("DROP") {
            self.expect("DEFAULT")?;
            table.columns[at].default = None;
        } else {
            self.expect("SET")?;
            if !self.eat("DEFAULT") {
                return Err(self.refused("this change of a table is not supported"));
            }
            table.columns[at].default = Some(self.default_value()?);
        }
        Ok(())
    }

    /// `CONVERT TO CHARACTER SET …`
    fn converted(&mut self, table: &mut TableDefinition, is_given: bool) -> Result<()> {
        self.expect("TO")?;
        if !self.eat("CHARSET") {
            self.expect("CHARACTER")?;
            self.expect("SET")?;
        }
        let charset = self.option_value()?.to_ascii_lowercase();
        let collation = self
            .eat("COLLATE")
            .then(|| self.option_value())
            .transpose()?;
        if is_given || charset == "binary" {
            let why = "the dump changes the character set of columns";
            return Err(self.refused(why));
        }
        for column in table.columns.iter_mut().filter(|it| is_text(&it.data_type)) {
            column.data_type.charset = None;
            column.data_type.collation = None;
        }
        table.options.charset = Some(charset);
        table.options.collation = collation.map(|name| name.to_ascii_lowercase());
        Ok(())
    }
}

fn is_primary(key: &KeyDefinition) -> bool {
    key.kind == KeyKind::Primary
}

fn has_primary_key(table: &TableDefinition) -> bool {
    table.keys.iter().any(is_primary)
}

fn leave_out_partitions(table: &mut TableDefinition) {
    let what = LeftOut::new(Code::OptionLeftOut, None, "its partitions were left out");
    if !table.left_out.contains(&what) {
        table.left_out.push(what);
    }
}

/// Names the keys of `table` from the place `begin` on that have no name, as the server does: after their first column.
fn name_keys(table: &mut TableDefinition, begin: usize) {
    let is_unnamed = |key: &KeyDefinition| !is_primary(key) && key.name.is_none();
    if !table.keys[begin..].iter().any(is_unnamed) {
        return;
    }
    let names = table.keys.iter().filter_map(|key| key.name.as_ref());
    let mut taken: HashSet<String> = names.map(|name| name.to_ascii_lowercase()).collect();
    for key in table.keys[begin..].iter_mut().filter(|key| is_unnamed(key)) {
        let first = key.parts.first().map(|part| &part.of);
        let wanted = match first {
            Some(KeyPartOf::Column(name)) => name.clone(),
            _ => "functional_index".to_owned(),
        };
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let mut names = std::iter::once(wanted.clone()).chain(numbered);
        key.name = names.find(|name| taken.insert(name.to_ascii_lowercase()));
    }
}

/// Gives the columns of the keys and foreign keys from these places on the names that the columns have: a server ignores
/// their case.
fn write_columns_exactly(table: &mut TableDefinition, keys: usize, foreign: usize) {
    let new_keys = table.keys.get_mut(keys..).unwrap_or_default();
    let new_foreign = table.foreign_keys.get_mut(foreign..).unwrap_or_default();
    if new_keys.is_empty() && new_foreign.is_empty() {
        return;
    }
    let columns = table.columns.iter().map(|column| &column.name);
    let exact: HashMap<String, &String> = columns
        .map(|name| (name.to_ascii_lowercase(), name))
        .collect();
    let write = |name: &mut String| {
        if let Some(exact) = exact.get(&name.to_ascii_lowercase()) {
            name.clone_from(exact);
        }
    };
    for part in new_keys.iter_mut().flat_map(|key| &mut key.parts) {
        if let KeyPartOf::Column(name) = &mut part.of {
            write(name);
        }
    }
    for key in new_foreign {
        key.columns.iter_mut().for_each(write);
    }
}

/// The columns of a primary key are NOT NULL.
fn fill_primary_key(table: &mut TableDefinition) {
    let Some(key) = table.keys.iter().find(|key| is_primary(key)) else {
        return;
    };
    let columns = key.parts.iter().filter_map(|part| match &part.of {
        KeyPartOf::Column(name) => Some(name.to_ascii_lowercase()),
        KeyPartOf::Expression(_) => None,
    });
    let columns: HashSet<String> = columns.collect();
    for column in &mut table.columns {
        if columns.contains(&column.name.to_ascii_lowercase()) {
            column.nullable = false;
            column
                .default
                .take_if(|default| *default == DefaultValue::Null);
        }
    }
}

#[cfg(test)]
mod tests;
