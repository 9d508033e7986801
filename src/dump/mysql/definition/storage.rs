//! The storage options of a definition: they are skipped, but recorded for the report.

use super::cursor::DefinitionParser;
use super::model::StorageOption;
use crate::dump::mysql::lexer::TokenKind;
use crate::error::Result;

impl DefinitionParser<'_> {
    /// Reads a storage option; returns it as the report shows it.
    pub(super) fn storage_option(&mut self) -> Result<String> {
        let several = [
            &["WITH", "SYSTEM", "VERSIONING"][..],
            &["DATA", "DIRECTORY"],
            &["INDEX", "DIRECTORY"],
        ];
        let is_here = |words: &&&[&str]| {
            let mut words = words.iter().enumerate();
            words.all(|(at, word)| self.is_word_at(at, word))
        };
        let name = if let Some(words) = several.iter().find(is_here) {
            self.at += words.len();
            words.join(" ")
        } else {
            self.name()?.to_ascii_uppercase()
        };
        if name == "STORAGE" {
            return Ok(format!("{name} {}", self.name()?.to_ascii_uppercase()));
        }
        if name == "TABLESPACE" || self.is_symbol('=') {
            return Ok(name + &self.shown_value()?);
        }
        Ok(name)
    }

    /// Reads the value of an option; returns it as the report shows it, which omits texts, names and lists.
    pub(super) fn shown_value(&mut self) -> Result<String> {
        self.eat_symbol('=');
        if self.is_symbol('(') {
            self.parenthesised()?;
            return Ok(String::new());
        }
        let value = self.peek().map(|token| token.kind.clone());
        self.at += usize::from(!matches!(value, None | Some(TokenKind::Symbol(_))));
        Ok(match value {
            Some(TokenKind::Word(value) | TokenKind::Number(value)) => {
                format!("={}", value.to_ascii_uppercase())
            }
            _ => String::new(),
        })
    }

    /// Records a storage option of the column or key `of`, or of the table.
    pub(super) fn is_stored(&mut self, of: Option<&str>, what: String) {
        self.storage.push(StorageOption {
            of: of.map(str::to_owned),
            what,
        });
    }

    /// Whether a name stands here, quoted or not.
    pub(super) fn is_name(&self) -> bool {
        matches!(
            self.peek().map(|token| &token.kind),
            Some(TokenKind::Word(_) | TokenKind::Identifier(_))
        )
    }
}
