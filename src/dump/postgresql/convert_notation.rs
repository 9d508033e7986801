//! The statements and comments that this program's `convert` writes and pg_dump does not: how they are written, and how
//! they are recognised when a converted dump is read.

use super::lexer::{Token, tokens};
use super::parser::{Parser, split_at_commas};
use crate::error::{Error, Result};

/// The first comment of a converted dump; the program's version follows.
pub const CONVERTED: &str = "Converted from MySQL by ci-import ";

/// The last comment of a converted dump.
pub const CONVERTED_COMPLETE: &str = "Dump completed";

/// The code around a statement, as a literal, that PostgreSQL 9 does not know.
pub const SINCE_VERSION_10: [&str; 2] = [
    "BEGIN IF current_setting('server_version_num')::int >= 100000 THEN EXECUTE ",
    "; END IF; END",
];

/// The end of a dump that could not be completed: it fails, so that the incomplete dump is not committed.
pub const GIVEN_UP: &str =
    "DO $$ BEGIN RAISE EXCEPTION 'the conversion of this dump was not completed'; END $$";

/// Whether the DO `statement` only gives a sequence the type of its column, which each sequence gets anyway. It is an
/// error if it says that the dump is incomplete.
pub(super) fn is_type_of_sequence(statement: &str, escapes: bool) -> Result<bool> {
    if statement.trim() == GIVEN_UP {
        let error = Error::archive("the dump is not whole: its conversion was not completed");
        return Err(error.hint("convert it again, and look at how that ends"));
    }
    Ok(in_do(statement, escapes).unwrap_or(false))
}

fn in_do(statement: &str, escapes: bool) -> Option<bool> {
    let outer = tokens(statement, escapes).ok()?;
    let [Token::Word(_), Token::Text(body)] = outer.as_slice() else {
        return None;
    };
    let [before, behind] = SINCE_VERSION_10;
    let literal = body.strip_prefix(before)?.strip_suffix(behind)?;
    let inner = tokens(literal, false).ok()?;
    let [Token::Text(inner)] = inner.as_slice() else {
        return None;
    };
    let inner = tokens(inner, false).ok()?;
    let mut parser = Parser::new(&inner);
    let is_alter = parser.take(&["alter", "sequence"]) && parser.qualified().is_ok();
    let types = ["smallint", "integer"];
    Some(
        is_alter
            && parser.take(&["as"])
            && types.into_iter().any(|name| parser.take(&[name]))
            && parser.at_end(),
    )
}

/// The column and its new type, of `ALTER COLUMN a DROP DEFAULT, ALTER COLUMN a TYPE smallint USING …`, and perhaps
/// `, ALTER COLUMN a SET DEFAULT …`.
pub(super) fn changed_type(actions: &[Token]) -> Option<(String, String)> {
    let actions = split_at_commas(actions);
    let (first, rest) = actions.split_first()?;
    let column = |action: &[Token], words: &[&str]| {
        let mut parser = Parser::new(action);
        let name = parser
            .take(&["alter", "column"])
            .then(|| parser.name().ok())??;
        let mut behind = Parser::new(parser.rest());
        behind.take(words).then(|| (name, behind.rest().to_vec()))
    };
    let (name, behind) = column(first, &["drop", "default"])?;
    let (same, data_type) = column(rest.first()?, &["type"])?;
    if !behind.is_empty() || same != name {
        return None;
    }
    let is_default = |action: &&[Token]| {
        column(action, &["set", "default"]).is_some_and(|(same, _)| same == name)
    };
    if rest.len() > 2 || !rest[1..].iter().all(is_default) {
        return None;
    }
    match data_type.first()? {
        Token::Word(data_type) => Some((name, data_type.clone())),
        _ => None,
    }
}

/// The sequence and its new name, of `"a" RENAME TO "b"`.
pub(super) fn renamed_sequence(rest: &[Token]) -> Option<(String, String)> {
    let mut parser = Parser::new(rest);
    let from = parser.qualified().ok()?;
    let to = parser
        .take(&["rename", "to"])
        .then(|| parser.name().ok())??;
    parser.at_end().then_some((from, to))
}

/// Whether `rest`, behind the SELECT of a statement, sets a sequence to the largest value of a column if that is not
/// less than the value of the sequence: `setval('s', max(a), true) FROM t HAVING max(a) >= 7`.
pub(super) fn is_raise_of_sequence(rest: &[Token]) -> bool {
    let mut parser = Parser::new(rest);
    if !parser.take(&["setval"]) {
        return false;
    }
    let Ok(inside) = parser.parenthesised() else {
        return false;
    };
    let [
        Token::Text(_),
        Token::Symbol(','),
        of @ ..,
        Token::Symbol(','),
        Token::Word(called),
    ] = inside
    else {
        return false;
    };
    let mut of = Parser::new(of);
    let column = largest(&mut of);
    // The cast is that of a sequence of floating-point numbers.
    let is_all = match of.rest() {
        [] => true,
        [Token::Cast, Token::Word(data_type)] => data_type == "bigint",
        _ => false,
    };
    let column = column.filter(|_| called == "true" && is_all);
    column.is_some()
        && parser.take(&["from"])
        && parser.qualified().is_ok()
        && parser.take(&["having"])
        && largest(&mut parser) == column
        && parser.take_symbol('>')
        && parser.take_symbol('=')
        && matches!(parser.rest(), [Token::Number(_)])
}

/// The column of `max(a)`.
fn largest(parser: &mut Parser<'_>) -> Option<String> {
    if !parser.take(&["max"]) {
        return None;
    }
    match parser.parenthesised().ok()? {
        [Token::Word(name) | Token::Name(name)] => Some(name.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_sequences() {
        let typed = |inner: &str| {
            let [before, behind] = SINCE_VERSION_10;
            let body = format!("{before}'{inner}'{behind}").replace('\'', "''");
            is_type_of_sequence(&format!("DO '{body}'"), false).unwrap()
        };
        assert!(typed("ALTER SEQUENCE \"a \"\" b\" AS integer"));
        assert!(typed("ALTER SEQUENCE a AS smallint"));
        assert!(!typed("ALTER SEQUENCE a AS integer; DROP TABLE b"));
        assert!(!typed("ALTER SEQUENCE a OWNER TO b"));
        assert!(!typed("DROP TABLE b"));
        assert!(!is_type_of_sequence("DO $$BEGIN END$$", false).unwrap());
        assert!(!is_type_of_sequence("DO 'BEGIN END'", false).unwrap());
        let error = is_type_of_sequence(&format!("\n{GIVEN_UP}"), false).unwrap_err();
        assert!(error.to_string().contains("was not completed"), "{error}");
    }

    #[test]
    fn changed_types() {
        let of = |actions: &str| changed_type(&tokens(actions, false).unwrap());
        let change = "ALTER COLUMN \"a,b\" DROP DEFAULT, ALTER COLUMN \"a,b\" TYPE numeric(20,0) USING \"a,b\"::numeric(20,0)";
        let expected = Some(("a,b".to_owned(), "numeric".to_owned()));
        assert_eq!(of(change), expected);
        assert_eq!(
            of(&format!("{change}, ALTER COLUMN \"a,b\" SET DEFAULT 0")),
            expected
        );
        assert_eq!(of(&format!("{change}, DROP COLUMN c")), None);
        assert_eq!(of(&format!("{change}, ALTER COLUMN c SET DEFAULT 0")), None);
        assert_eq!(of("ALTER COLUMN a DROP DEFAULT"), None);
    }

    #[test]
    fn raises_of_sequences() {
        let is_raise =
            |statement: &str| is_raise_of_sequence(&tokens(statement, false).unwrap()[1..]);
        let good = "SELECT setval('s', max(\"i d\"), true) FROM \"t\" HAVING max(\"i d\") >= 7";
        assert!(is_raise(good));
        let of_double = "max(\"i d\")::bigint, ";
        assert!(is_raise(&good.replacen("max(\"i d\"), ", of_double, 1)));
        let evil = "max(\"i d\")::evil, ";
        assert!(!is_raise(&good.replacen("max(\"i d\"), ", evil, 1)));
        for (part, other) in [
            ("true", "false"),
            ("max(\"i d\") >", "max(b) >"),
            (" >= 7", ""),
            (" >= 7", " >= evil()"),
            ("'s', max", "'s', evil"),
            (">= 7", ">= 7 UNION SELECT 1"),
        ] {
            let bad = good.replacen(part, other, 1);
            assert!(bad != good && !is_raise(&bad), "{bad}");
        }
    }
}
