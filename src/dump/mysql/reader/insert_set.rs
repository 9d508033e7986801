//! `INSERT … SET a = 1`, as other programs than mysqldump write it.

use std::collections::HashSet;

use super::consumer::Consumer;
use super::reading::Reader;
use crate::dump::mysql::expression::{is_word, split_at_commas};
use crate::dump::mysql::lexer::{Token, TokenKind, tokens_in};
use crate::dump::mysql::piece::Piece;
use crate::dump::mysql::statement::place_of_table;
use crate::error::Result;

impl<C: Consumer> Reader<C> {
    /// Takes `INSERT INTO t SET a = 1, b = 2` as one row.
    pub(super) fn insert_set(&mut self, statement: &[u8]) -> Result<()> {
        let quoting = self.session.mode().quoting();
        let text = std::str::from_utf8(statement).ok();
        let tokens = text.and_then(|text| tokens_in(text, quoting).ok());
        let not_understood = "the dump inserts rows that are not written as VALUES";
        let parts = match text.zip(tokens) {
            Some((text, tokens)) => as_values(text, &tokens).unwrap_or(Err(not_understood)),
            None => Err(not_understood),
        };
        let (head, rows) =
            parts.map_err(|why| self.refused(why, &String::from_utf8_lossy(statement)))?;
        self.insert_head(head.as_bytes())?;
        let last_end = rows.rfind(')').map(|at| at + 1);
        let piece = Piece::LastRows { rows: 1, last_end };
        self.take_rows(rows.as_bytes(), piece)
    }
}

/// The head and the row of `INSERT INTO t SET a = 1, b = 2`, written with VALUES; or why it is refused.
fn as_values(
    text: &str,
    tokens: &[Token],
) -> Option<std::result::Result<(String, String), &'static str>> {
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
    let mut names = HashSet::new();
    for assignment in split_at_commas(assignments) {
        let equals = assignment
            .iter()
            .position(|token| token.kind == TokenKind::Symbol('='))?;
        let (column, value) = (&assignment[..equals], &assignment[equals + 1..]);
        let column = column.last()?;
        let (TokenKind::Word(name) | TokenKind::Identifier(name)) = &column.kind else {
            return None;
        };
        if !names.insert(name.to_ascii_lowercase()) {
            return Some(Err("the dump inserts a row that has a column twice"));
        }
        columns.push(&text[column.start..column.end]);
        values.push(&text[value.first()?.start..value.last()?.end]);
    }
    let head = format!(
        "{}({}) VALUES ",
        &text[..tokens[set].start],
        columns.join(",")
    );
    Some(Ok((head, format!("({});", values.join(",")))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::mysql::lexer::tokens;

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
            let expected = expected.map(|(head, rows)| Ok((head.to_owned(), rows.to_owned())));
            assert_eq!(found, expected, "{text}");
        }
        let twice = "INSERT INTO t SET a = 1, b = 2, t.`A` = 3";
        let found = as_values(twice, &tokens(twice).unwrap());
        let why = "the dump inserts a row that has a column twice";
        assert_eq!(found, Some(Err(why)));
    }
}
