//! Reads expressions of CHECKs, generated columns and indexes word by word: one that has a word which is not known
//! is none.

use super::definition::{Expression, Piece};
use super::lexer::Token;
use super::parser::Parser;

/// The functions, as they are written. All of them compute the same from the same values, and nothing else.
const FUNCTIONS: [(&str, &str); 8] = [
    ("abs", "abs"),
    ("char_length", "char_length"),
    ("left", "\"left\""),
    ("length", "length"),
    ("lower", "lower"),
    ("octet_length", "octet_length"),
    ("substr", "substr"),
    ("to_tsvector", "to_tsvector"),
];

/// The keywords, as they are read and written.
const KEYWORDS: [(&str, &str); 17] = [
    ("and", "AND"),
    ("any", "ANY"),
    ("array", "ARRAY"),
    ("between", "BETWEEN"),
    ("case", "CASE"),
    ("coalesce", "COALESCE"),
    ("else", "ELSE"),
    ("end", "END"),
    ("false", "false"),
    ("in", "IN"),
    ("is", "IS"),
    ("not", "NOT"),
    ("null", "NULL"),
    ("or", "OR"),
    ("then", "THEN"),
    ("true", "true"),
    ("when", "WHEN"),
];

/// The operators of several characters.
const PAIRS: [(char, char, &str); 5] = [
    ('<', '=', "<="),
    ('>', '=', ">="),
    ('<', '>', "<>"),
    ('!', '=', "<>"),
    ('|', '|', "||"),
];

/// The other operators, and what holds an expression together.
const SYMBOLS: [(char, &str); 11] = [
    ('(', "("),
    (')', ")"),
    ('[', "["),
    (']', "]"),
    (',', ","),
    ('+', "+"),
    ('-', "-"),
    ('*', "*"),
    ('<', "<"),
    ('>', ">"),
    ('=', "="),
];

/// The expression that `tokens` write, if all of it is known.
pub(super) fn expression(tokens: &[Token]) -> Option<Expression> {
    let mut pieces = Vec::new();
    let mut rest = tokens;
    let mut depth = 0_usize;
    while !rest.is_empty() {
        let (piece, behind) = piece(rest)?;
        match piece {
            Piece::Sql("(" | "[") => depth += 1,
            Piece::Sql(")" | "]") => depth = depth.checked_sub(1)?,
            // Something that is not known, as a word, would stand between them.
            _ if is_value(&piece) && pieces.last().is_some_and(is_value) => return None,
            _ => {}
        }
        pieces.push(piece);
        rest = behind;
    }
    (depth == 0 && !pieces.is_empty()).then_some(Expression(pieces))
}

fn is_value(piece: &Piece) -> bool {
    matches!(piece, Piece::Column(_) | Piece::Text(_) | Piece::Number(_))
}

/// The piece that `tokens` begin with, and what follows it.
fn piece(tokens: &[Token]) -> Option<(Piece, &[Token])> {
    let (first, rest) = tokens.split_first()?;
    let is_called = rest.first() == Some(&Token::Symbol('('));
    let piece = match first {
        Token::Word(word) => match found(&KEYWORDS, word) {
            Some(keyword) => Piece::Sql(keyword),
            None if is_called => Piece::Sql(found(&FUNCTIONS, word)?),
            None => Piece::Column(word.clone()),
        },
        Token::Name(name) if is_called => Piece::Sql(found(&FUNCTIONS, name)?),
        Token::Name(name) => Piece::Column(name.clone()),
        Token::Text(text) => Piece::Text(text.clone()),
        Token::Number(number) => {
            number.parse::<f64>().ok()?;
            Piece::Number(number.clone())
        }
        Token::Cast => {
            let mut parser = Parser::new(rest);
            let data_type = parser.type_name().ok()?;
            return Some((Piece::Cast(data_type), parser.rest()));
        }
        Token::Symbol(symbol) => {
            let pair = |(one, two, _): &&(char, char, _)| {
                one == symbol && rest.first() == Some(&Token::Symbol(*two))
            };
            if let Some((_, _, operator)) = PAIRS.iter().find(pair) {
                return Some((Piece::Sql(operator), &rest[1..]));
            }
            let same = SYMBOLS.iter().find(|(known, _)| known == symbol);
            Piece::Sql(same?.1)
        }
    };
    Some((piece, rest))
}

/// What `list` has for `word`.
fn found(list: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    let entry = list.iter().find(|(known, _)| *known == word);
    entry.map(|(_, sql)| *sql)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::postgresql::lexer::tokens;

    fn read(text: &str) -> Option<Vec<Piece>> {
        let tokens = tokens(text, false).unwrap();
        expression(&tokens).map(|expression| expression.0)
    }

    #[test]
    fn each_kind_of_piece() {
        let column = |name: &str| Piece::Column(name.to_owned());
        let found = read("\"a b\" >= 1.5 AND lower(\"Left\")<>'it''s'::character varying(9)");
        let Some(Piece::Cast(cast)) = found.as_ref().and_then(|pieces| pieces.last()) else {
            panic!("{found:?}");
        };
        assert_eq!(cast.name, "character varying");
        assert_eq!(cast.modifiers, [9]);
        let expected = [
            column("a b"),
            Piece::Sql(">="),
            Piece::Number("1.5".to_owned()),
            Piece::Sql("AND"),
            Piece::Sql("lower"),
            Piece::Sql("("),
            column("Left"),
            Piece::Sql(")"),
            Piece::Sql("<>"),
            Piece::Text("it's".to_owned()),
        ];
        let pieces = found.as_ref().unwrap();
        assert_eq!(pieces[..pieces.len() - 1], expected);
        assert_eq!(read("(a)::text IS NOT NULL").unwrap().len(), 7);
        assert_eq!(read("ANY ((ARRAY['a'])::text[])").unwrap().len(), 10);
        // A column may be called as a function is.
        assert_eq!(read("\"left\" = 1").unwrap()[0], column("left"));
    }

    #[test]
    fn what_is_not_known_is_none() {
        for unknown in [
            "",
            "evil(a)",
            "\"evil\"(a)",
            "evil.lower(a)",
            "a OPERATOR(evil.=) b",
            "(SELECT a)",
            "a; b",
            "(a",
            "a)",
            ")a(",
            "a ~ 'x'",
            "a /* 1",
            "a % 2",
            "$1",
            "1.2.3",
            "a::",
            "B'1' & c",
        ] {
            assert_eq!(read(unknown), None, "{unknown}");
        }
        // Two signs are no comment.
        let signs = [Piece::Sql("-"), Piece::Sql("-")];
        let tokens = [Token::Symbol('-'), Token::Symbol('-')];
        assert_eq!(expression(&tokens).unwrap().0, signs);
    }
}
