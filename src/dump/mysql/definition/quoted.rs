//! Expressions are kept as they are written, but quoted in the usual way whatever the dump's `sql_mode` is.

use super::cursor::DefinitionParser;
use crate::dump::mysql::lexer::{Token, TokenKind};
use crate::dump::mysql::sql::identifier;
use crate::dump::quoting::Quoting;

impl DefinitionParser<'_> {
    /// The text from `start` to `end`, in bytes.
    pub(super) fn written(&self, start: usize, end: usize) -> String {
        let text = &self.text[start..end];
        if self.quoting == Quoting::default() {
            return text.trim().to_owned();
        }
        let mut written = String::new();
        let mut copied = start;
        let first = self.tokens.partition_point(|token| token.start < start);
        let inside = |token: &&Token| token.end <= end;
        for token in self.tokens[first..].iter().take_while(inside) {
            let quoted = match &token.kind {
                TokenKind::Identifier(name) => identifier(name),
                TokenKind::Text(content) => {
                    format!("'{}'", content.replace('\\', "\\\\").replace('\'', "''"))
                }
                _ => continue,
            };
            written += &self.text[copied..token.start];
            written += &quoted;
            copied = token.end;
        }
        written += &self.text[copied..end];
        written.trim().to_owned()
    }

    /// Whether hexadecimal digits stand here.
    pub(super) fn is_hex(&self) -> bool {
        matches!(
            self.peek().map(|token| &token.kind),
            Some(TokenKind::Hex(_))
        )
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(
            self.peek().map(|token| &token.kind),
            Some(TokenKind::Text(_) | TokenKind::DoubleQuoted(_))
        )
    }
}
