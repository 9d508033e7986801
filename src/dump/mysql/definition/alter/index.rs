//! `CREATE INDEX` and `DROP INDEX`, which MySQL Workbench and DataGrip write: other words for ALTER TABLE (MySQL manual,
//! 15.1.15 and 15.1.27).

use crate::dump::mysql::definition::cursor::DefinitionParser;
use crate::dump::mysql::definition::{KeyKind, LeftOut, TableDefinition};
use crate::error::Result;
use crate::error::codes::Code;

impl DefinitionParser<'_> {
    /// Carries out such a statement, if this is one.
    pub(super) fn change_of_index(
        &mut self,
        table: &mut TableDefinition,
        is_given: bool,
    ) -> Result<bool> {
        if self.is("DROP") {
            self.at += 1;
            self.dropped(table, is_given)?;
            self.expect("ON")?;
            self.qualified_name()?;
            // What comes after it says how.
            self.at = self.tokens.len();
            return Ok(true);
        }
        if !self.eat("CREATE") {
            return Ok(false);
        }
        self.skip_words(&["ONLINE", "OFFLINE"]);
        let is_vector = self.eat("VECTOR");
        let kinds = [
            ("UNIQUE", KeyKind::Unique),
            ("FULLTEXT", KeyKind::Fulltext),
            ("SPATIAL", KeyKind::Spatial),
        ];
        let kind = kinds.into_iter().find(|(word, _)| self.is(word));
        let kind = kind.map_or(KeyKind::Plain, |(_, kind)| {
            self.at += 1;
            kind
        });
        self.expect("INDEX")?;
        let may_be_there = self.is("IF");
        self.skip_words(&["IF", "NOT", "EXISTS"]);
        let name = self.name()?;
        let using = if self.eat("USING") || self.eat("TYPE") {
            Some(self.word()?.to_ascii_uppercase())
        } else {
            None
        };
        self.expect("ON")?;
        self.qualified_name()?;
        let is_it = |known: &String| known.eq_ignore_ascii_case(&name);
        let mut known = table.keys.iter().filter_map(|key| key.name.as_ref());
        if may_be_there && known.any(is_it) {
            self.at = self.tokens.len();
        } else if is_vector {
            self.at = self.tokens.len();
            let what = "the vector index was left out";
            table
                .left_out
                .push(LeftOut::new(Code::IndexLeftOut, Some(name), what));
        } else if let Some(mut key) = self.key_with_name(kind, Some(name), table)? {
            key.using = key.using.or(using);
            table.keys.push(key);
        }
        match self.peek() {
            Some(_) => Err(self.unexpected()),
            None => Ok(true),
        }
    }
}
