//! Columns and their types.

use super::cursor::DefinitionParser;
use super::keys::key_of;
use super::model::{ColumnDefinition, DataType, KeyKind, TableDefinition};
use super::type_names::replace_serial;
use crate::dump::mysql::lexer::TokenKind;
use crate::error::Result;

impl DefinitionParser<'_> {
    pub(super) fn column(&mut self, table: &mut TableDefinition) -> Result<()> {
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
        column.data_type = self.data_type(table.columns.len())?;
        replace_serial(&mut column, table);
        while !self.ends_element() && !self.is("FIRST") && !self.is("AFTER") {
            self.column_attribute(&mut column, table)?;
        }
        table.columns.push(column);
        self.place = format!("table {}", table.name);
        Ok(())
    }

    /// The type of the column with the number `number`.
    fn data_type(&mut self, number: usize) -> Result<DataType> {
        // Under sql_mode ORACLE, MariaDB tells its own types from Oracle's so.
        if self.is("MARIADB_SCHEMA") && self.is_symbol_at(1, '.') {
            self.at += 2;
        }
        let mut data_type = self.type_name()?;
        if self.eat_symbol('(') {
            while !self.eat_symbol(')') {
                match self.next()?.kind {
                    TokenKind::Number(number) => {
                        let number = number.parse().map_err(|_| self.unexpected())?;
                        data_type.numbers.push(number);
                    }
                    TokenKind::Symbol(',') => {}
                    _ => {
                        self.at -= 1;
                        self.enum_value(number, &mut data_type.values)?;
                    }
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
            column.data_type.srid = Some(number.parse().map_err(|_| self.unexpected())?);
        } else if self.eat("ON") {
            self.expect("UPDATE")?;
            self.expression()?;
            column.on_update = true;
        } else if self.eat("GENERATED") {
            self.expect("ALWAYS")?;
            self.generated(column)?;
        } else if self.is("AS") {
            self.generated(column)?;
        } else if self.eat("SERIAL") {
            self.serial_attribute(column, table)?;
        } else if self.is("PRIMARY") || self.is("KEY") {
            self.eat("PRIMARY");
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

    /// Attributes of `column` that affect neither its values nor the target's column.
    fn attribute_without_effect(&mut self, column: &str) -> Result<()> {
        let alone = ["VISIBLE", "BINARY", "ASCII", "UNICODE", "VIRTUAL"];
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
}
