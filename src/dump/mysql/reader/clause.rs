//! INSERTs that other programs than mysqldump write: `INSERT … SET a = 1`, and `ON DUPLICATE KEY UPDATE` behind the rows.

use std::sync::Arc;

use super::consumer::Consumer;
use super::reading::Reader;
use crate::dump::events::{Duplicates, RowChunk};
use crate::dump::mysql::expression::split_at_commas;
use crate::dump::mysql::lexer::{Token, TokenKind, tokens_in};
use crate::dump::mysql::piece::Piece;
use crate::dump::mysql::statement::place_of_table;
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
        let target = match clause {
            Some(clause) => {
                let duplicates = self.duplicates(&clause)?;
                self.chunks.amend(duplicates)
            }
            None => None,
        };
        for mut chunk in self.waiting.after(chunk, is_end) {
            if let Some(target) = &target {
                chunk.insert = Arc::clone(target);
            }
            self.consumer.rows(chunk)?;
        }
        Ok(())
    }

    /// What `clause`, which stands behind the rows of an INSERT, says about duplicates.
    fn duplicates(&self, clause: &[u8]) -> Result<Duplicates> {
        let target = self.chunks.target();
        let quoting = self.session.mode().quoting();
        let text = String::from_utf8_lossy(clause);
        let columns = target.and_then(|target| target.columns.as_deref());
        let found = tokens_in(&text, quoting).map(|tokens| on_duplicate(&tokens, columns));
        if let Ok(Some(duplicates)) = found {
            return Ok(duplicates);
        }
        let table = target.map_or("", |target| target.table.as_str());
        let what = if text.to_ascii_uppercase().starts_with("ON DUPLICATE") {
            "ON DUPLICATE KEY UPDATE changes rows in a way that is not supported"
        } else {
            "an INSERT has something after its rows that is not understood"
        };
        let error = Error::failed(format!("table {table}: {what}")).withholding(text.into_owned());
        Err(self
            .placed(error)
            .hint(format!("--skip-table {table} leaves it out")))
    }

    /// Takes `INSERT INTO t SET a = 1, b = 2` as one row.
    pub(super) fn insert_set(&mut self, statement: &[u8]) -> Result<()> {
        let quoting = self.session.mode().quoting();
        let text = std::str::from_utf8(statement).ok();
        let tokens = text.and_then(|text| tokens_in(text, quoting).ok());
        let parts = text
            .zip(tokens)
            .and_then(|(text, tokens)| as_values(text, &tokens));
        let Some((head, rows)) = parts else {
            let why = "the dump inserts rows that are not written as VALUES";
            return Err(self.refused(why, &String::from_utf8_lossy(statement)));
        };
        self.insert_head(head.as_bytes())?;
        let last_end = rows.rfind(')').map(|at| at + 1);
        let piece = Piece::LastRows { rows: 1, last_end };
        self.take_rows(rows.as_bytes(), piece)
    }
}

/// The head and the row of `INSERT INTO t SET a = 1, b = 2`, written with VALUES.
fn as_values(text: &str, tokens: &[Token]) -> Option<(String, String)> {
    let set = place_of_table(tokens)?;
    if !is_word(tokens.get(set)?, "SET") {
        return None;
    }
    let mut assignments = &tokens[set + 1..];
    while let [rest @ .., last] = assignments
        && last.kind == TokenKind::Symbol(';')
    {
        assignments = rest;
    }
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for assignment in split_at_commas(assignments) {
        let equals = assignment
            .iter()
            .position(|token| token.kind == TokenKind::Symbol('='))?;
        let (column, value) = (&assignment[..equals], &assignment[equals + 1..]);
        let column = column.last()?;
        columns.push(&text[column.start..column.end]);
        values.push(&text[value.first()?.start..value.last()?.end]);
    }
    let head = format!(
        "{}({}) VALUES ",
        &text[..tokens[set].start],
        columns.join(",")
    );
    Some((head, format!("({});", values.join(","))))
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

fn is_word(token: &Token, word: &str) -> bool {
    matches!(&token.kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word))
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

    #[test]
    fn set_is_written_with_values() {
        for (text, expected) in [
            (
                "INSERT INTO `a`.`t` SET `x` = 'it''s, =', t.y=f(1, 2),z=NULL;",
                Some((
                    "INSERT INTO `a`.`t` (`x`,y,z) VALUES ",
                    "('it''s, =',f(1, 2),NULL);",
                )),
            ),
            (
                "REPLACE t SET a = -1",
                Some(("REPLACE t (a) VALUES ", "(-1);")),
            ),
            ("INSERT INTO t SELECT 1", None),
            ("INSERT INTO t SET a", None),
        ] {
            let found = as_values(text, &tokens(text).unwrap());
            let expected = expected.map(|(head, rows)| (head.to_owned(), rows.to_owned()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
