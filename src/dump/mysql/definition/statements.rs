//! The statements: `CREATE TABLE`, and the head of an INSERT.

use super::cursor::DefinitionParser;
use super::model::{KeyKind, TableDefinition, TableOptions};
use crate::dump::mysql::lexer::tokens;
use crate::error::Result;

/// MySQL has at most 4096 columns, and 64 keys.
const MAX_ELEMENTS: usize = 5000;

/// Reads a `CREATE TABLE` statement.
pub fn create_table(statement: &str) -> Result<TableDefinition> {
    let tokens = tokens(statement)?;
    DefinitionParser::new(statement, &tokens).table_definition()
}

/// The table and the columns, if it names them, of `INSERT INTO t (a, b) VALUES`.
pub fn insert_head(head: &str) -> Result<(String, Option<Vec<String>>)> {
    let tokens = tokens(head)?;
    DefinitionParser::new(head, &tokens).insert_head()
}

/// Whether `check` only says that `column` holds JSON: MariaDB has this CHECK on its JSON columns.
#[must_use]
pub fn is_json_check(check: &str, column: &str) -> bool {
    let bare: String = check
        .chars()
        .filter(|c| !matches!(c, '`' | '"' | ' '))
        .collect();
    let column: String = column.chars().filter(|c| *c != ' ').collect();
    bare.eq_ignore_ascii_case(&format!("json_valid({column})"))
}

impl DefinitionParser<'_> {
    /// The table and the columns, if it names them, of `INSERT INTO t (a, b) VALUES`.
    fn insert_head(&mut self) -> Result<(String, Option<Vec<String>>)> {
        while !self.eat("INTO") {
            let modifier = ["INSERT", "REPLACE", "IGNORE", "DELAYED", "LOW_PRIORITY"];
            if !modifier.iter().any(|word| self.eat(word)) {
                break;
            }
        }
        let table = self.qualified_name()?;
        self.place = format!("table {table}");
        let columns = self.is_symbol('(').then(|| self.names()).transpose()?;
        if !self.eat("VALUES") && !self.eat("VALUE") {
            return Err(self.unexpected());
        }
        Ok((table, columns))
    }

    /// A `CREATE TABLE` statement.
    fn table_definition(&mut self) -> Result<TableDefinition> {
        self.expect("CREATE")?;
        if self.eat("OR") {
            self.expect("REPLACE")?;
        }
        self.eat("TEMPORARY");
        self.expect("TABLE")?;
        if self.eat("IF") {
            self.expect("NOT")?;
            self.expect("EXISTS")?;
        }
        let name = self.qualified_name()?;
        self.place = format!("table {name}");
        let mut definition = TableDefinition {
            name,
            columns: Vec::new(),
            keys: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            options: TableOptions::default(),
            left_out: Vec::new(),
        };
        self.symbol('(')?;
        for count in 0.. {
            if count == MAX_ELEMENTS {
                let what = format!("more than {MAX_ELEMENTS} columns, keys and constraints");
                return Err(self.error(&what));
            }
            self.element(&mut definition)?;
            if !self.eat_symbol(',') {
                break;
            }
        }
        self.symbol(')')?;
        definition.options = self.options()?;
        if self.is("PARTITION") {
            let what = "its partitions were left out".to_owned();
            definition.left_out.push((None, what));
        }
        definition.options.storage = std::mem::take(&mut self.storage);
        Ok(definition)
    }

    /// A column, key or constraint.
    fn element(&mut self, table: &mut TableDefinition) -> Result<()> {
        let name = if self.eat("CONSTRAINT") {
            let unnamed = ["FOREIGN", "CHECK", "PRIMARY", "UNIQUE"]
                .iter()
                .any(|word| self.is(word));
            (!unnamed).then(|| self.name()).transpose()?
        } else {
            None
        };
        if self.eat("PRIMARY") {
            self.expect("KEY")?;
            let key = self.key(KeyKind::Primary, table)?;
            table.keys.push(key);
        } else if self.eat("UNIQUE") {
            let _ = self.eat("KEY") || self.eat("INDEX");
            let mut key = self.key(KeyKind::Unique, table)?;
            key.name = key.name.or(name);
            table.keys.push(key);
        } else if self.eat("FULLTEXT") {
            let _ = self.eat("KEY") || self.eat("INDEX");
            let key = self.key(KeyKind::Fulltext, table)?;
            table.keys.push(key);
        } else if self.eat("SPATIAL") {
            let _ = self.eat("KEY") || self.eat("INDEX");
            let key = self.key(KeyKind::Spatial, table)?;
            table.keys.push(key);
        } else if self.eat("KEY") || self.eat("INDEX") {
            let key = self.key(KeyKind::Plain, table)?;
            table.keys.push(key);
        } else if self.eat("FOREIGN") {
            let key = self.foreign_key(name)?;
            table.foreign_keys.push(key);
        } else if self.eat("CHECK") {
            self.check(name, table)?;
        } else if self.is("PERIOD") && self.is_word_at(1, "FOR") {
            let what = self.words();
            self.is_stored(None, what);
            self.skip_element();
        } else {
            self.column(table)?;
        }
        Ok(())
    }

    fn options(&mut self) -> Result<TableOptions> {
        let mut options = TableOptions::default();
        while self.at < self.tokens.len() {
            if self.is("PARTITION") || self.is("AS") || self.is("SELECT") {
                break;
            }
            if self.eat("AUTO_INCREMENT") {
                self.eat_symbol('=');
                options.auto_increment = Some(self.number()?);
            } else if self.eat("ENGINE") || self.eat("TYPE") {
                options.engine = Some(self.option_value()?);
            } else if self.eat("ROW_FORMAT") {
                options.row_format = Some(self.option_value()?.to_ascii_uppercase());
            } else if self.eat("COLLATE") {
                options.collation = Some(self.option_value()?.to_ascii_lowercase());
            } else if self.eat("COMMENT") {
                self.eat_symbol('=');
                options.comment = Some(self.text_literal()?);
            } else if self.eat("CHARSET") {
                options.charset = Some(self.option_value()?.to_ascii_lowercase());
            } else if self.eat("CHARACTER") {
                self.expect("SET")?;
                options.charset = Some(self.option_value()?.to_ascii_lowercase());
            } else if self.is("DEFAULT") || !self.is_name() {
                self.at += 1;
            } else {
                let what = self.storage_option()?;
                self.is_stored(None, what);
            }
        }
        Ok(options)
    }
}
