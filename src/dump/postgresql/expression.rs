//! Reads expressions of CHECKs, generated columns and indexes word by word. An expression with an unknown word is not
//! taken.

use super::definition::{Expression, ExpressionPiece};
use super::lexer::Token;
use super::parser::Parser;

/// The allowed functions, as they are read and rendered. They are immutable and have no side effects.
const FUNCTIONS: [(&str, &str); 25] = [
    ("abs", "abs"),
    ("btrim", "btrim"),
    ("ceil", "ceil"),
    ("ceiling", "ceiling"),
    ("char_length", "char_length"),
    ("div", "div"),
    ("floor", "floor"),
    ("greatest", "GREATEST"),
    ("least", "LEAST"),
    ("left", "\"left\""),
    ("length", "length"),
    ("lower", "lower"),
    ("ltrim", "ltrim"),
    ("md5", "md5"),
    ("mod", "mod"),
    ("nullif", "NULLIF"),
    ("octet_length", "octet_length"),
    ("replace", "replace"),
    ("right", "\"right\""),
    ("round", "round"),
    ("rtrim", "rtrim"),
    ("sign", "sign"),
    ("substr", "substr"),
    ("to_tsvector", "to_tsvector"),
    ("upper", "upper"),
];

/// The allowed keywords, as they are read and rendered.
const KEYWORDS: [(&str, &str); 19] = [
    ("and", "AND"),
    ("any", "ANY"),
    ("array", "ARRAY"),
    ("between", "BETWEEN"),
    ("case", "CASE"),
    ("coalesce", "COALESCE"),
    ("distinct", "DISTINCT"),
    ("else", "ELSE"),
    ("end", "END"),
    ("false", "false"),
    ("from", "FROM"),
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

/// The other operators, parentheses and separators.
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

/// The expression in `tokens`, if all of it is known.
pub(super) fn expression(tokens: &[Token]) -> Option<Expression> {
    let mut pieces = Vec::new();
    let mut rest = tokens;
    let mut depth = 0_usize;
    while !rest.is_empty() {
        let (piece, behind) = piece(rest)?;
        match piece {
            ExpressionPiece::Sql("(" | "[") => depth += 1,
            ExpressionPiece::Sql(")" | "]") => depth = depth.checked_sub(1)?,
            // Between two values an unknown word is missing.
            _ if is_value(&piece) && pieces.last().is_some_and(is_value) => return None,
            _ => {}
        }
        pieces.push(piece);
        rest = behind;
    }
    (depth == 0 && !pieces.is_empty()).then_some(Expression(pieces))
}

fn is_value(piece: &ExpressionPiece) -> bool {
    matches!(
        piece,
        ExpressionPiece::Column(_) | ExpressionPiece::Text(_) | ExpressionPiece::Number(_)
    )
}

/// The first piece in `tokens`, and what follows it.
fn piece(tokens: &[Token]) -> Option<(ExpressionPiece, &[Token])> {
    let (first, rest) = tokens.split_first()?;
    let is_called = rest.first() == Some(&Token::Symbol('('));
    let piece = match first {
        Token::Word(word) => match found(&KEYWORDS, word) {
            Some(keyword) => ExpressionPiece::Sql(keyword),
            None if is_called => ExpressionPiece::Sql(found(&FUNCTIONS, word)?),
            None => ExpressionPiece::Column(word.clone()),
        },
        Token::Name(name) if is_called => ExpressionPiece::Sql(found(&FUNCTIONS, name)?),
        Token::Name(name) => ExpressionPiece::Column(name.clone()),
        Token::Text(text) => ExpressionPiece::Text(text.clone()),
        Token::Number(number) => {
            number.parse::<f64>().ok()?;
            ExpressionPiece::Number(number.clone())
        }
        Token::Cast => {
            let mut parser = Parser::new(rest);
            let data_type = parser.type_name().ok()?;
            return Some((ExpressionPiece::Cast(data_type), parser.rest()));
        }
        Token::Symbol(symbol) => {
            let pair = |(one, two, _): &&(char, char, _)| {
                one == symbol && rest.first() == Some(&Token::Symbol(*two))
            };
            if let Some((_, _, operator)) = PAIRS.iter().find(pair) {
                return Some((ExpressionPiece::Sql(operator), &rest[1..]));
            }
            let same = SYMBOLS.iter().find(|(known, _)| known == symbol);
            ExpressionPiece::Sql(same?.1)
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

    fn read(text: &str) -> Option<Vec<ExpressionPiece>> {
        let tokens = tokens(text, false).unwrap();
        expression(&tokens).map(|expression| expression.0)
    }

    #[test]
    fn each_kind_of_piece() {
        let column = |name: &str| ExpressionPiece::Column(name.to_owned());
        let found = read("\"a b\" >= 1.5 AND lower(\"Left\")<>'it''s'::character varying(9)");
        let Some(ExpressionPiece::Cast(cast)) = found.as_ref().and_then(|pieces| pieces.last())
        else {
            panic!("{found:?}");
        };
        assert_eq!(cast.name, "character varying");
        assert_eq!(cast.modifiers, [9]);
        let expected = [
            column("a b"),
            ExpressionPiece::Sql(">="),
            ExpressionPiece::Number("1.5".to_owned()),
            ExpressionPiece::Sql("AND"),
            ExpressionPiece::Sql("lower"),
            ExpressionPiece::Sql("("),
            column("Left"),
            ExpressionPiece::Sql(")"),
            ExpressionPiece::Sql("<>"),
            ExpressionPiece::Text("it's".to_owned()),
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
        let signs = [ExpressionPiece::Sql("-"), ExpressionPiece::Sql("-")];
        let tokens = [Token::Symbol('-'), Token::Symbol('-')];
        assert_eq!(expression(&tokens).unwrap().0, signs);
    }
}
