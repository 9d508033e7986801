//! The statements: `CREATE TABLE`, and the head of an INSERT.

use super::cursor::DefinitionParser;
use super::model::{KeyKind, LeftOut, Period, TableDefinition, TableOptions};
use crate::dump::bounds::refused_definition;
use crate::dump::mysql::lexer::{Token, TokenKind, tokens_in};
use crate::dump::quoting::Quoting;
use crate::error::codes::Code;
use crate::error::{Error, Result};

/// MySQL has at most 4096 columns, and 64 keys.
pub(super) const MAX_ELEMENTS: usize = 5000;

/// Reads a `CREATE TABLE` statement.
pub fn create_table(statement: &str) -> Result<TableDefinition> {
    parse_table(statement, Quoting::default()).map(|parsed| parsed.table)
}

/// A `CREATE TABLE` statement.
#[derive(Debug)]
pub struct ParsedTable {
    /// The table.
    pub table: TableDefinition,
    /// Whether the statement has no effect if the table exists.
    pub if_not_exists: bool,
    /// Whether it drops the table if it exists.
    pub or_replace: bool,
    /// Whether an expression has a NOT.
    pub has_not: bool,
}

/// Reads a `CREATE TABLE` statement that is quoted so.
pub fn parse_table(statement: &str, quoting: Quoting) -> Result<ParsedTable> {
    let tokens = tokens_in(statement, quoting)?;
    DefinitionParser::new(statement, &tokens, quoting).table_definition()
}

/// The table and the columns, if it names them, of `INSERT INTO t (a, b) VALUES`.
pub fn insert_head(head: &str, quoting: Quoting) -> Result<(String, Option<Vec<String>>)> {
    let tokens = tokens_in(head, quoting)?;
    DefinitionParser::new(head, &tokens, quoting).insert_head()
}

/// Whether `check` only says that `column` holds JSON: MariaDB has this CHECK on its JSON columns.
#[must_use]
pub fn is_json_check(check: &str, column: &str) -> bool {
    bare_check(check) == json_check(column)
}

/// `check` in lower case, without quotes and blanks.
#[must_use]
pub fn bare_check(check: &str) -> String {
    let bare = check.chars().filter(|c| !matches!(c, '`' | '"' | ' '));
    bare.map(|c| c.to_ascii_lowercase()).collect()
}

/// The CHECK that only says that `column` holds JSON, as [`bare_check`] writes it.
#[must_use]
pub fn json_check(column: &str) -> String {
    let column = column.chars().filter(|c| *c != ' ');
    let column: String = column.map(|c| c.to_ascii_lowercase()).collect();
    format!("json_valid({column})")
}

impl DefinitionParser<'_> {
    /// The table and the columns, if it names them, of `INSERT INTO t (a, b) VALUES`.
    fn insert_head(&mut self) -> Result<(String, Option<Vec<String>>)> {
        while !self.eat("INTO") {
            let modifier = [
                "INSERT",
                "REPLACE",
                "IGNORE",
                "DELAYED",
                "LOW_PRIORITY",
                "HIGH_PRIORITY",
            ];
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
    fn table_definition(&mut self) -> Result<ParsedTable> {
        self.expect("CREATE")?;
        let or_replace = self.eat("OR");
        if or_replace {
            self.expect("REPLACE")?;
        }
        self.eat("TEMPORARY");
        self.expect("TABLE")?;
        let if_not_exists = self.is("IF");
        self.skip_words(&["IF", "NOT", "EXISTS"]);
        let name = self.qualified_name()?;
        self.place = format!("table {name}");
        self.refuse_copy_of_columns()?;
        let mut definition = TableDefinition::new(name);
        if self
            .peek()
            .is_none_or(|token| token.kind == TokenKind::Symbol(';'))
        {
            let hint = "phpMyAdmin writes such definitions for another database system: export again with the \
                        compatibility NONE";
            return Err(self.error("the definition has no columns").hint(hint));
        }
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
        self.refuse_rows()?;
        definition.options = self.options()?;
        if self.is("PARTITION") {
            definition.left_out.push(LeftOut::new(
                Code::OptionLeftOut,
                None,
                "its partitions were left out",
            ));
        }
        definition.options.storage = std::mem::take(&mut self.storage);
        self.resolve_values(&mut definition)?;
        let has_not = self.has_not();
        Ok(ParsedTable {
            table: definition,
            if_not_exists,
            or_replace,
            has_not,
        })
    }

    /// Whether an expression has a NOT: not `NOT NULL`, `IF NOT EXISTS` or `NOT ENFORCED`.
    pub(super) fn has_not(&self) -> bool {
        let is_word = |token: &Token, words: &[&str]| match &token.kind {
            TokenKind::Word(word) => words.iter().any(|known| word.eq_ignore_ascii_case(known)),
            _ => false,
        };
        let mut pairs = self.tokens.windows(2);
        pairs.any(|pair| {
            is_word(&pair[0], &["NOT"]) && !is_word(&pair[1], &["NULL", "EXISTS", "ENFORCED"])
        })
    }

    /// Refuses `CREATE TABLE t LIKE other` and `CREATE TABLE t SELECT …`: the columns are not in the dump.
    fn refuse_copy_of_columns(&self) -> Result<()> {
        let is_like = self.is("LIKE") || self.is_symbol('(') && self.is_word_at(1, "LIKE");
        if is_like {
            return Err(self.refused("the table is created LIKE another one"));
        }
        let first = usize::from(self.is_symbol('('));
        if self.is_word_at(first, "SELECT") || !self.is_symbol('(') && self.has_select() {
            return Err(
                self.refused("the table is created by a SELECT, whose rows are not in the dump")
            );
        }
        Ok(())
    }

    /// Refuses `CREATE TABLE t (…) AS SELECT …`, which brings rows that are not in the dump.
    fn refuse_rows(&self) -> Result<()> {
        if self.has_select() {
            return Err(
                self.refused("the table is created by a SELECT, whose rows are not in the dump")
            );
        }
        Ok(())
    }

    /// Whether a query follows, outside of parentheses or as the whole of them.
    fn has_select(&self) -> bool {
        let mut depth = 0;
        let mut before = None;
        for token in &self.tokens[self.at.min(self.tokens.len())..] {
            match &token.kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(')') => depth -= 1,
                TokenKind::Word(word)
                    if word.eq_ignore_ascii_case("SELECT")
                        && (depth == 0 || before == Some(&TokenKind::Symbol('('))) =>
                {
                    return true;
                }
                // `AS VALUES (1)`, `AS TABLE other`, `AS WITH …`
                TokenKind::Word(word) if depth == 0 && word.eq_ignore_ascii_case("AS") => {
                    return true;
                }
                _ => {}
            }
            before = Some(&token.kind);
        }
        false
    }

    pub(super) fn refused(&self, why: &str) -> Error {
        self.placed(refused_definition(self.text, |shown| {
            format!("{why}: {shown}")
        }))
    }

    /// `PERIOD FOR name (begin, end)`
    fn period(&mut self, table: &mut TableDefinition) -> Result<()> {
        self.skip_words(&["PERIOD", "FOR"]);
        let name = self.name()?;
        if name.eq_ignore_ascii_case("SYSTEM_TIME") {
            self.is_stored(None, "PERIOD FOR SYSTEM_TIME".to_owned());
            self.skip_element();
            return Ok(());
        }
        self.is_stored(None, format!("PERIOD FOR {name}"));
        let columns = self.names()?;
        let [begin, end] = <[String; 2]>::try_from(columns).map_err(|_| self.unexpected())?;
        table.periods.push(Period { name, begin, end });
        Ok(())
    }

    /// A column, key or constraint.
    pub(super) fn element(&mut self, table: &mut TableDefinition) -> Result<()> {
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
            table.keys.extend(key);
        } else if self.eat("UNIQUE") {
            let _ = self.eat("KEY") || self.eat("INDEX");
            if let Some(mut key) = self.key(KeyKind::Unique, table)? {
                key.name = key.name.or(name);
                table.keys.push(key);
            }
        } else if self.eat("FULLTEXT") {
            let _ = self.eat("KEY") || self.eat("INDEX");
            let key = self.key(KeyKind::Fulltext, table)?;
            table.keys.extend(key);
        } else if self.eat("SPATIAL") {
            let _ = self.eat("KEY") || self.eat("INDEX");
            let key = self.key(KeyKind::Spatial, table)?;
            table.keys.extend(key);
        } else if self.eat("KEY") || self.eat("INDEX") {
            let key = self.key(KeyKind::Plain, table)?;
            table.keys.extend(key);
        } else if self.eat("FOREIGN") {
            let key = self.foreign_key(name)?;
            table.foreign_keys.push(key);
        } else if self.eat("CHECK") {
            self.check(name, table)?;
        } else if self.is("PERIOD") && self.is_word_at(1, "FOR") {
            self.period(table)?;
        } else if self.is("VECTOR") && (self.is_word_at(1, "KEY") || self.is_word_at(1, "INDEX")) {
            self.at += 2;
            let name = (!self.is_symbol('(')).then(|| self.name()).transpose()?;
            self.skip_element();
            let what = "the vector index was left out";
            table
                .left_out
                .push(LeftOut::new(Code::IndexLeftOut, name, what));
        } else {
            self.column(table)?;
        }
        Ok(())
    }

    fn options(&mut self) -> Result<TableOptions> {
        let mut options = TableOptions::default();
        while self.at < self.tokens.len() {
            if self.is("PARTITION") {
                break;
            }
            self.option(&mut options)?;
        }
        Ok(options)
    }

    /// One of the options of a table, or a symbol between them.
    pub(super) fn option(&mut self, options: &mut TableOptions) -> Result<()> {
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
        Ok(())
    }
}
