//! Keys and foreign keys.

use super::cursor::DefinitionParser;
use super::model::{
    ForeignKeyDefinition, KeyDefinition, KeyKind, KeyPart, KeyPartOf, LeftOut, TableDefinition,
};
use crate::error::Result;
use crate::error::codes::Code;

impl DefinitionParser<'_> {
    pub(super) fn key(
        &mut self,
        kind: KeyKind,
        table: &mut TableDefinition,
    ) -> Result<Option<KeyDefinition>> {
        let is_named = !self.is_symbol('(') && !self.is("USING");
        let name = is_named.then(|| self.name()).transpose()?;
        self.key_with_name(kind, name, table)
    }

    /// The key that has this name, from after the name on.
    pub(super) fn key_with_name(
        &mut self,
        kind: KeyKind,
        name: Option<String>,
        table: &mut TableDefinition,
    ) -> Result<Option<KeyDefinition>> {
        let mut key = KeyDefinition {
            kind,
            name,
            parts: Vec::new(),
            using: None,
            comment: None,
        };
        // `TYPE BTREE` is how MySQL 5.0 wrote `USING BTREE`.
        if self.eat("USING") || self.eat("TYPE") {
            key.using = Some(self.word()?.to_ascii_uppercase());
        }
        self.symbol('(')?;
        let mut may_not_overlap = false;
        loop {
            key.parts.push(self.key_part()?);
            if self.eat("WITHOUT") {
                self.expect("OVERLAPS")?;
                may_not_overlap = true;
            }
            if !self.eat_symbol(',') {
                break;
            }
        }
        self.symbol(')')?;
        while !self.ends_element() {
            if self.eat("COMMENT") {
                key.comment = Some(self.text_literal()?);
            } else if self.eat("USING") {
                key.using = Some(self.word()?.to_ascii_uppercase());
            } else if self.eat("PARSER") {
                let parser = self.name()?;
                let what = format!("its parser {parser} was left out");
                let what = LeftOut::new(Code::OptionLeftOut, key.name.clone(), what);
                table.left_out.push(what);
            } else if self.eat("INVISIBLE") || self.eat("IGNORED") {
                let what = "the index was not used, and is now";
                let what = LeftOut::new(Code::OptionLeftOut, key.name.clone(), what);
                table.left_out.push(what);
            } else if self.eat("NOWAIT") {
                // It says how the key is created, as the next ones do.
            } else if ["ALGORITHM", "LOCK", "WAIT"]
                .iter()
                .any(|word| self.eat(word))
            {
                self.option_value()?;
            } else if self.is("VISIBLE") || self.is("WITH") || !self.is_name() {
                self.next()?;
            } else {
                // KEY_BLOCK_SIZE and similar options.
                let what = self.storage_option()?;
                self.is_stored(key.name.as_deref(), what);
            }
        }
        if may_not_overlap {
            // A unique index over the columns alone would be another key.
            let what = "the key WITHOUT OVERLAPS was left out: only its server can keep it";
            let name = key.name.unwrap_or_else(|| "PRIMARY".to_owned());
            table
                .left_out
                .push(LeftOut::new(Code::IndexLeftOut, Some(name), what));
            return Ok(None);
        }
        Ok(Some(key))
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

    pub(super) fn foreign_key(&mut self, name: Option<String>) -> Result<ForeignKeyDefinition> {
        self.expect("KEY")?;
        let index_name = (!self.is_symbol('(')).then(|| self.name()).transpose()?;
        let columns = self.names()?;
        self.expect("REFERENCES")?;
        let mut key = ForeignKeyDefinition {
            name: name.or(index_name),
            columns,
            database: self.is_symbol_at(1, '.').then(|| self.name()).transpose()?,
            references: {
                self.eat_symbol('.');
                self.name()?
            },
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
}

pub(super) fn key_of(kind: KeyKind, column: &str) -> KeyDefinition {
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
