//! What stands after the rows of an INSERT: `ON DUPLICATE KEY UPDATE`, as other programs than mysqldump write it.

use std::sync::Arc;

use super::consumer::Consumer;
use super::reading::Reader;
use crate::dump::events::{Duplicates, RowChunk};
use crate::dump::mysql::expression::{is_word, split_at_commas};
use crate::dump::mysql::lexer::{Token, TokenKind, tokens_in};
use crate::error::{Error, Result};

impl<C: Consumer> Reader<C> {
    /// Passes on `chunk`, or keeps it until the end of its statement is read.
    pub(super) fn pass_on_rows(&mut self, chunk: Option<RowChunk>, is_end: bool) -> Result<()> {
        let clause = if is_end {
            self.chunks.take_clause()
        } else {
            None
        };
        if !self.takes_rows {
            return Ok(());
        }
        if let Some(clause) = clause {
            let duplicates = self.duplicates(&clause)?;
            if let Some(target) = self.chunks.amend(duplicates) {
                let mut chunks = self.waiting.end();
                chunks.extend(chunk);
                for mut chunk in chunks {
                    chunk.insert = Arc::clone(&target);
                    self.pass_on_chunk(chunk)?;
                }
            }
            return Ok(());
        }
        let chunk = match chunk {
            Some(chunk) if !is_end => match self.waiting.keep(chunk) {
                None => return Ok(()),
                chunk => chunk,
            },
            chunk => chunk,
        };
        for waited in self.waiting.end() {
            self.pass_on_chunk(waited)?;
        }
        chunk.map_or(Ok(()), |chunk| self.pass_on_chunk(chunk))
    }

    fn pass_on_chunk(&mut self, mut chunk: RowChunk) -> Result<()> {
        // Only here, because nothing frees the memory of a chunk that is kept.
        self.chunks.hold(&mut chunk);
        self.consumer.rows(chunk)
    }

    /// What `clause`, which stands after the rows of an INSERT, says about duplicates.
    fn duplicates(&mut self, clause: &[u8]) -> Result<Duplicates> {
        let target = self.chunks.target();
        let quoting = self.session.mode().quoting();
        let text = String::from_utf8_lossy(clause);
        let columns = target.and_then(|target| target.columns.clone());
        let table = target.map_or_else(String::new, |target| target.table.clone());
        let found = tokens_in(&text, quoting).map(|it| on_duplicate(&it, columns.as_deref()));
        let what = match found {
            Ok(Some(Duplicates::Replace))
                if !self.has_all_columns(&table, columns.as_deref().unwrap_or_default())? =>
            {
                "ON DUPLICATE KEY UPDATE keeps values of columns that the INSERT does not have"
            }
            Ok(Some(duplicates)) => return Ok(duplicates),
            _ if text.to_ascii_uppercase().starts_with("ON DUPLICATE") => {
                "ON DUPLICATE KEY UPDATE changes rows in a way that is not supported"
            }
            _ => "an INSERT has something after its rows that is not understood",
        };
        let error = Error::failed(format!("table {table}: {what}")).withholding(text.into_owned());
        Err(self
            .placed(error)
            .hint(format!("--skip-table {table} leaves it out")))
    }

    /// Whether the `given` columns are all columns of `table` whose values are stored. A server keeps the values of the
    /// others when it updates a row; REPLACE would lose them.
    fn has_all_columns(&mut self, table: &str, given: &[String]) -> Result<bool> {
        let database = self.chunks.database().map(str::to_owned);
        let Some(created) = self.tables.get_mut(database.as_deref(), table) else {
            return Ok(false);
        };
        let is_new = created.stored_columns.is_none();
        let length = created.length;
        let columns = created.stored_columns(database.as_deref());
        let columns = columns.map(|columns| {
            let mut columns = columns.iter();
            columns.all(|name| given.iter().any(|it| it.eq_ignore_ascii_case(name)))
        });
        let has_all = columns.map_err(|error| self.placed(error))?;
        if is_new {
            let counted = self.definitions.add_again(length);
            counted.map_err(|error| self.placed(error))?;
        }
        Ok(has_all)
    }
}

/// What `ON DUPLICATE KEY UPDATE a = VALUES(a), …` does if it replaces or keeps the whole row; the rows have `columns`.
/// MySQL 8.0.19 and later write `AS new ON DUPLICATE KEY UPDATE a = new.a`, too.
fn on_duplicate(tokens: &[Token], columns: Option<&[String]>) -> Option<Duplicates> {
    let (alias, tokens) = match tokens {
        [first, alias, rest @ ..] if is_word(first, "AS") => (Some(name(alias)?), rest),
        tokens => (None, tokens),
    };
    let words = ["ON", "DUPLICATE", "KEY", "UPDATE"];
    let (begin, assignments) = tokens.split_at_checked(words.len())?;
    let is_clause = begin
        .iter()
        .zip(words)
        .all(|(token, word)| is_word(token, word));
    if !is_clause {
        return None;
    }
    let (mut replaced, mut kept) = (Vec::new(), 0);
    for assignment in split_at_commas(assignments) {
        let (column, value) = match assignment {
            [column, equals, value @ ..] if equals.kind == TokenKind::Symbol('=') => {
                (name(column)?, value)
            }
            _ => return None,
        };
        let of_row = match value {
            [old] => {
                kept += usize::from(name(old)?.eq_ignore_ascii_case(column));
                continue;
            }
            [of, dot, new]
                if dot.kind == TokenKind::Symbol('.')
                    && alias.is_some_and(|a| Some(a) == name(of)) =>
            {
                new
            }
            [call, open, new, close]
                if (is_word(call, "VALUES") || is_word(call, "VALUE"))
                    && open.kind == TokenKind::Symbol('(')
                    && close.kind == TokenKind::Symbol(')') =>
            {
                new
            }
            _ => return None,
        };
        if !name(of_row)?.eq_ignore_ascii_case(column) {
            return None;
        }
        replaced.push(column);
    }
    let count = split_at_commas(assignments).len();
    if kept == count && count > 0 {
        return Some(Duplicates::Ignored);
    }
    let is_replaced = |column: &String| {
        let mut replaced = replaced.iter();
        replaced.any(|name| name.eq_ignore_ascii_case(column))
    };
    let is_whole = kept == 0 && columns?.iter().all(is_replaced);
    is_whole.then_some(Duplicates::Replace)
}

/// A name.
fn name(token: &Token) -> Option<&str> {
    match &token.kind {
        TokenKind::Word(name) | TokenKind::Identifier(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::mysql::lexer::tokens;

    #[test]
    fn what_becomes_of_duplicates() {
        use Duplicates::{Ignored, Replace};
        let columns = ["a".to_owned(), "B".to_owned()];
        for (clause, expected) in [
            (
                "ON DUPLICATE KEY UPDATE a = VALUES(a), `b` = values(`b`)",
                Some(Replace),
            ),
            (
                "on duplicate key update a=VALUE(a),b=VALUE(b)",
                Some(Replace),
            ),
            (
                "AS new ON DUPLICATE KEY UPDATE a = new.a, b = new.b",
                Some(Replace),
            ),
            ("ON DUPLICATE KEY UPDATE a = a", Some(Ignored)),
            ("ON DUPLICATE KEY UPDATE a = VALUES(a)", None),
            ("ON DUPLICATE KEY UPDATE a = VALUES(a), b = b", None),
            ("ON DUPLICATE KEY UPDATE a = VALUES(b), b = VALUES(b)", None),
            (
                "ON DUPLICATE KEY UPDATE a = VALUES(a) + 1, b = VALUES(b)",
                None,
            ),
            ("ON DUPLICATE KEY UPDATE a = 1, b = VALUES(b)", None),
            ("ON DUPLICATE KEY UPDATE", None),
            ("RETURNING a", None),
        ] {
            let found = on_duplicate(&tokens(clause).unwrap(), Some(&columns));
            assert_eq!(found, expected, "{clause}");
        }
    }
}
