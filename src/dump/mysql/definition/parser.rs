//! The parser of definitions.

mod storage;

use super::{
    ColumnDefinition, DataType, DefaultValue, ForeignKeyDefinition, Generated, KeyDefinition,
    KeyKind, KeyPart, KeyPartOf, StorageOption, TableDefinition, TableOptions,
};
use crate::dump::mysql::lexer::{Token, TokenKind};
use crate::error::{Error, Result};

/// MySQL has at most 4096 columns, and 64 keys.
const MAX_ELEMENTS: usize = 5000;

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    /// For errors: `table t` or `column t.a`.
    place: String,
    /// What was said of storage so far.
    storage: Vec<StorageOption>,
}

impl<'a> Parser<'a> {
    /// The parser of `text`, which has these tokens.
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Parser<'a> {
        Parser {
            text,
            tokens,
            at: 0,
            place: String::new(),
            storage: Vec::new(),
        }
    }

    /// The table and the columns, if it names them, of `INSERT INTO t (a, b) VALUES`.
    pub(super) fn insert_head(&mut self) -> Result<(String, Option<Vec<String>>)> {
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
    pub(super) fn table_definition(&mut self) -> Result<TableDefinition> {
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

    fn column(&mut self, table: &mut TableDefinition) -> Result<()> {
        let mut column = ColumnDefinition {
            name: self.name()?,
            data_type: DataType::default(),
            nullable: true,
            default: None,
            auto_increment: false,
            generated: None,
            on_update: false,
            invisible: false,
            comment: None,
        };
        self.place = format!("column {}.{}", table.name, column.name);
        column.data_type = self.data_type()?;
        while !self.is_symbol(',') && !self.is_symbol(')') {
            self.column_attribute(&mut column, table)?;
        }
        table.columns.push(column);
        self.place = format!("table {}", table.name);
        Ok(())
    }

    fn data_type(&mut self) -> Result<DataType> {
        let mut data_type = DataType {
            name: self.word()?.to_ascii_lowercase(),
            ..DataType::default()
        };
        if data_type.name == "double" {
            self.eat("PRECISION");
        }
        if self.eat_symbol('(') {
            while !self.eat_symbol(')') {
                match self.next()?.kind {
                    TokenKind::Number(number) => {
                        let number = number.parse().map_err(|_| self.unexpected())?;
                        data_type.numbers.push(number);
                    }
                    TokenKind::Text(value) | TokenKind::DoubleQuoted(value) => {
                        data_type.values.push(value);
                    }
                    TokenKind::Symbol(',') => {}
                    _ => return Err(self.unexpected_before()),
                }
            }
        }
        loop {
            if self.eat("UNSIGNED") {
                data_type.unsigned = true;
            } else if self.eat("ZEROFILL") {
                data_type.unsigned = true;
                data_type.zerofill = true;
            } else if !self.eat("SIGNED") {
                return Ok(data_type);
            }
        }
    }

    fn column_attribute(
        &mut self,
        column: &mut ColumnDefinition,
        table: &mut TableDefinition,
    ) -> Result<()> {
        if self.eat("NOT") {
            self.expect("NULL")?;
            column.nullable = false;
        } else if self.eat("NULL") {
            column.nullable = true;
        } else if self.eat("DEFAULT") {
            column.default = Some(self.default_value()?);
        } else if self.eat("AUTO_INCREMENT") {
            column.auto_increment = true;
        } else if self.eat("COMMENT") {
            column.comment = Some(self.text_literal()?);
        } else if self.eat("CHARACTER") {
            self.expect("SET")?;
            column.data_type.charset = Some(self.option_value()?.to_ascii_lowercase());
        } else if self.eat("CHARSET") {
            column.data_type.charset = Some(self.option_value()?.to_ascii_lowercase());
        } else if self.eat("COLLATE") {
            column.data_type.collation = Some(self.option_value()?.to_ascii_lowercase());
        } else if self.eat("INVISIBLE") {
            column.invisible = true;
        } else if self.eat("SRID") || self.eat("REF_SYSTEM_ID") {
            let number = self.option_value()?;
            let what = format!("its SRID {number} was left out");
            table.left_out.push((Some(column.name.clone()), what));
        } else if self.eat("ON") {
            self.expect("UPDATE")?;
            self.expression()?;
            column.on_update = true;
        } else if self.eat("GENERATED") {
            self.expect("ALWAYS")?;
            self.generated(column)?;
        } else if self.is("AS") {
            self.generated(column)?;
        } else if self.eat("PRIMARY") {
            self.expect("KEY")?;
            table.keys.push(key_of(KeyKind::Primary, &column.name));
        } else if self.eat("UNIQUE") {
            self.eat("KEY");
            table.keys.push(key_of(KeyKind::Unique, &column.name));
        } else if self.eat("CONSTRAINT") {
            if !self.is("CHECK") {
                self.name()?;
            }
        } else if self.eat("CHECK") {
            self.check(None, table)?;
        } else {
            self.attribute_without_effect(&column.name)?;
        }
        Ok(())
    }

    /// What follows CHECK. One that the server does not enforce is none.
    fn check(&mut self, name: Option<String>, table: &mut TableDefinition) -> Result<()> {
        let expression = self.parenthesised()?;
        if self.is("NOT") && self.is_word_at(1, "ENFORCED") {
            self.skip_words(&["NOT", "ENFORCED"]);
            let what = format!("CHECK ({expression}) was left out: it was not enforced");
            table.left_out.push((name, what));
            return Ok(());
        }
        self.eat("ENFORCED");
        table.checks.push((name, expression));
        Ok(())
    }

    fn generated(&mut self, column: &mut ColumnDefinition) -> Result<()> {
        self.expect("AS")?;
        if self.eat("ROW") {
            // When a row of a system-versioned table was valid: the dump has the values.
            let end = if self.eat("START") {
                "START"
            } else {
                self.eat("END");
                "END"
            };
            self.is_stored(Some(&column.name), format!("AS ROW {end}"));
            return Ok(());
        }
        let expression = self.parenthesised()?;
        let stored = self.eat("STORED") || self.eat("PERSISTENT");
        if !stored {
            self.eat("VIRTUAL");
        }
        column.generated = Some(Generated { expression, stored });
        Ok(())
    }

    /// Attributes of `column` that change neither values nor what PostgreSQL has to know.
    fn attribute_without_effect(&mut self, column: &str) -> Result<()> {
        let alone = ["VISIBLE", "BINARY", "ASCII", "UNICODE", "VIRTUAL", "KEY"];
        if alone.iter().any(|word| self.eat(word)) {
            return Ok(());
        }
        if ["WITH", "WITHOUT"].iter().any(|word| self.is(word)) && self.is_word_at(1, "SYSTEM") {
            let what = [self.word()?, self.word()?].join(" ").to_ascii_uppercase();
            self.skip_words(&["VERSIONING"]);
            self.is_stored(Some(column), format!("{what} VERSIONING"));
            return Ok(());
        }
        let with_value = ["COLUMN_FORMAT", "STORAGE"];
        if let Some(word) = with_value.iter().find(|word| self.is(word)) {
            self.at += 1;
            let value = self.shown_value()?;
            self.is_stored(Some(column), format!("{word}{value}"));
            return Ok(());
        }
        // Engine attributes and compression: `COMPRESSED`, `ENGINE_ATTRIBUTE='…'`, `x`='y'.
        if self.is("COMPRESSED") || self.is("ENGINE_ATTRIBUTE") || self.is_symbol_at(1, '=') {
            let name = self.name()?.to_ascii_uppercase();
            let has_value = self.is("COMPRESSED") || self.is_symbol('=');
            let value = has_value.then(|| self.shown_value()).transpose()?;
            self.is_stored(Some(column), name + &value.unwrap_or_default());
            return Ok(());
        }
        Err(self.unexpected())
    }

    fn default_value(&mut self) -> Result<DefaultValue> {
        let start = self.at;
        let sign = if self.eat_symbol('-') { "-" } else { "" };
        let token = self.next()?;
        Ok(match token.kind {
            TokenKind::Number(number) => DefaultValue::Number(format!("{sign}{number}")),
            TokenKind::Text(text) | TokenKind::DoubleQuoted(text) => DefaultValue::Text(text),
            TokenKind::Bits(digits) => DefaultValue::Bits(digits),
            TokenKind::Hex(digits) => DefaultValue::Hex(digits),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("NULL") => DefaultValue::Null,
            // A charset introducer: `_utf8mb3'x'`.
            TokenKind::Word(word) if word.starts_with('_') && !self.is_symbol('(') => {
                DefaultValue::Text(self.text_literal()?)
            }
            _ => {
                self.at = start;
                DefaultValue::Expression(self.expression()?)
            }
        })
    }

    /// A word with arguments if it has any, or something in parentheses, as it is written.
    fn expression(&mut self) -> Result<String> {
        let start = self.peek().map_or(self.text.len(), |token| token.start);
        if !self.is_symbol('(') {
            self.word()?;
        }
        if self.is_symbol('(') {
            self.parenthesised()?;
        }
        Ok(self.text[start..self.end_of_last()].to_owned())
    }

    /// The text between the parenthesis that must stand here and its counterpart.
    fn parenthesised(&mut self) -> Result<String> {
        self.symbol('(')?;
        let start = self.end_of_last();
        let mut depth = 1;
        while depth > 0 {
            match self.next()?.kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(')') => depth -= 1,
                _ => {}
            }
        }
        let end = self.tokens[self.at - 1].start;
        Ok(self.text[start..end].trim().to_owned())
    }

    fn key(&mut self, kind: KeyKind, table: &mut TableDefinition) -> Result<KeyDefinition> {
        let mut key = KeyDefinition {
            kind,
            name: None,
            parts: Vec::new(),
            using: None,
            comment: None,
        };
        // `TYPE BTREE` is how MySQL 5.0 wrote `USING BTREE`.
        if !self.is_symbol('(') && !self.is("USING") {
            key.name = Some(self.name()?);
        }
        if self.eat("USING") || self.eat("TYPE") {
            key.using = Some(self.word()?.to_ascii_uppercase());
        }
        self.symbol('(')?;
        loop {
            key.parts.push(self.key_part()?);
            if !self.eat_symbol(',') {
                break;
            }
        }
        self.symbol(')')?;
        while !self.is_symbol(',') && !self.is_symbol(')') {
            if self.eat("COMMENT") {
                key.comment = Some(self.text_literal()?);
            } else if self.eat("USING") {
                key.using = Some(self.word()?.to_ascii_uppercase());
            } else if self.eat("PARSER") {
                let parser = self.name()?;
                let what = format!("its parser {parser} was left out");
                table.left_out.push((key.name.clone(), what));
            } else if self.eat("INVISIBLE") || self.eat("IGNORED") {
                let what = "the index was not used, and is now".to_owned();
                table.left_out.push((key.name.clone(), what));
            } else if self.is("VISIBLE") || self.is("WITH") || !self.is_name() {
                self.next()?;
            } else {
                // KEY_BLOCK_SIZE and its like.
                let what = self.storage_option()?;
                self.is_stored(key.name.as_deref(), what);
            }
        }
        Ok(key)
    }

    fn key_part(&mut self) -> Result<KeyPart> {
        let of = if self.is_symbol('(') {
            KeyPartOf::Expression(self.parenthesised()?)
        } else {
            KeyPartOf::Column(self.name()?)
        };
        let mut prefix = None;
        if self.eat_symbol('(') {
            prefix = Some(self.number()?);
            self.symbol(')')?;
        }
        self.eat("ASC");
        Ok(KeyPart {
            of,
            prefix,
            descending: self.eat("DESC"),
        })
    }

    fn foreign_key(&mut self, name: Option<String>) -> Result<ForeignKeyDefinition> {
        self.expect("KEY")?;
        let index_name = (!self.is_symbol('(')).then(|| self.name()).transpose()?;
        let columns = self.names()?;
        self.expect("REFERENCES")?;
        let mut key = ForeignKeyDefinition {
            name: name.or(index_name),
            columns,
            references: self.qualified_name()?,
            referenced_columns: self.names()?,
            on_delete: None,
            on_update: None,
        };
        while self.eat("ON") {
            let event = self.word()?;
            let mut action = self.word()?.to_ascii_uppercase();
            if action == "SET" || action == "NO" {
                action = format!("{action} {}", self.word()?.to_ascii_uppercase());
            }
            if event.eq_ignore_ascii_case("DELETE") {
                key.on_delete = Some(action);
            } else {
                key.on_update = Some(action);
            }
        }
        Ok(key)
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

    fn names(&mut self) -> Result<Vec<String>> {
        self.symbol('(')?;
        let mut names = Vec::new();
        while !self.eat_symbol(')') {
            names.push(self.name()?);
            self.eat_symbol(',');
        }
        Ok(names)
    }

    /// A name, of which the part before a dot (the database) is dropped.
    fn qualified_name(&mut self) -> Result<String> {
        let name = self.name()?;
        if self.eat_symbol('.') {
            return self.name();
        }
        Ok(name)
    }

    fn name(&mut self) -> Result<String> {
        match self.next()?.kind {
            TokenKind::Word(name) | TokenKind::Identifier(name) | TokenKind::DoubleQuoted(name) => {
                Ok(name)
            }
            _ => Err(self.unexpected_before()),
        }
    }

    fn word(&mut self) -> Result<String> {
        match self.next()?.kind {
            TokenKind::Word(word) => Ok(word),
            _ => Err(self.unexpected_before()),
        }
    }

    fn number(&mut self) -> Result<u64> {
        match self.next()?.kind {
            TokenKind::Number(number) => number.parse().map_err(|_| self.unexpected_before()),
            _ => Err(self.unexpected_before()),
        }
    }

    fn text_literal(&mut self) -> Result<String> {
        match self.next()?.kind {
            TokenKind::Text(text) | TokenKind::DoubleQuoted(text) => Ok(text),
            _ => Err(self.unexpected_before()),
        }
    }

    /// The value of an option, with or without `=` before it.
    fn option_value(&mut self) -> Result<String> {
        self.eat_symbol('=');
        match self.next()?.kind {
            TokenKind::Word(value)
            | TokenKind::Text(value)
            | TokenKind::Number(value)
            | TokenKind::Identifier(value)
            | TokenKind::DoubleQuoted(value) => Ok(value),
            _ => Err(self.unexpected_before()),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token.ok_or_else(|| self.error("the statement ends too early"))
    }

    fn is(&self, word: &str) -> bool {
        self.is_word_at(0, word)
    }

    fn is_word_at(&self, ahead: usize, word: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead),
            Some(Token { kind: TokenKind::Word(found), .. }) if found.eq_ignore_ascii_case(word))
    }

    fn is_symbol(&self, symbol: char) -> bool {
        self.is_symbol_at(0, symbol)
    }

    fn is_symbol_at(&self, ahead: usize, symbol: char) -> bool {
        matches!(self.tokens.get(self.at + ahead),
            Some(Token { kind: TokenKind::Symbol(found), .. }) if *found == symbol)
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    fn eat_symbol(&mut self, symbol: char) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        if self.eat(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn symbol(&mut self, symbol: char) -> Result<()> {
        if self.eat_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn skip_words(&mut self, words: &[&str]) {
        while words.iter().any(|word| self.eat(word)) {}
    }

    fn skip_element(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(',') if depth == 0 => return,
                TokenKind::Symbol(')') if depth == 0 => return,
                TokenKind::Symbol(')') => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Where the token before this one ends.
    fn end_of_last(&self) -> usize {
        self.at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or(0, |token| token.end)
    }

    fn unexpected_before(&mut self) -> Error {
        self.at = self.at.saturating_sub(1);
        self.unexpected()
    }

    fn unexpected(&self) -> Error {
        match self.peek() {
            Some(token) => {
                let shown: String = self.text[token.start..].chars().take(40).collect();
                self.error(&format!("cannot read the definition from \"{shown}\" on"))
            }
            None => self.error("the statement ends too early"),
        }
    }

    fn error(&self, what: &str) -> Error {
        let error = Error::failed(what);
        if self.place.is_empty() {
            error
        } else {
            error.at(&self.place)
        }
    }
}

fn key_of(kind: KeyKind, column: &str) -> KeyDefinition {
    KeyDefinition {
        kind,
        name: (kind != KeyKind::Primary).then(|| column.to_owned()),
        parts: vec![KeyPart {
            of: KeyPartOf::Column(column.to_owned()),
            prefix: None,
            descending: false,
        }],
        using: None,
        comment: None,
    }
}
