//! The defaults of columns.

use super::definition::{DefaultValue, Literal};
use super::lexer::Token;
use super::names::name_in_text;
use super::parser::{Parser, split_at_commas};

/// The default in `tokens`.
pub(super) fn default_value(tokens: &[Token]) -> DefaultValue {
    next_value(tokens)
        .or_else(|| moment(tokens))
        .or_else(|| literal(tokens))
        .unwrap_or(DefaultValue::Other)
}

/// `nextval('s'::regclass)`, or the notation of older servers, `nextval(('s'::text)::regclass)`.
fn next_value(tokens: &[Token]) -> Option<DefaultValue> {
    let mut parser = Parser::new(tokens);
    if parser.take(&["pg_catalog"]) {
        parser.take_symbol('.');
    }
    if !parser.take(&["nextval"]) {
        return None;
    }
    let inside = parser.parenthesised().ok()?;
    let sequence = inside.iter().find_map(|token| match token {
        Token::Text(text) => Some(name_in_text(text)),
        _ => None,
    })?;
    let is_known = |token: &Token| match token {
        Token::Text(_) | Token::Cast | Token::Symbol('(' | ')' | '.') => true,
        Token::Word(word) => ["regclass", "text", "pg_catalog"].contains(&word.as_str()),
        _ => false,
    };
    let plain = parser.at_end() && inside.iter().all(is_known);
    plain.then_some(DefaultValue::NextValue(sequence))
}

/// The current time or day.
pub(super) fn moment(tokens: &[Token]) -> Option<DefaultValue> {
    if is_now_in_utc(tokens) {
        return Some(DefaultValue::Moment("timezone('UTC', now())"));
    }
    let moments: [(&[&str], bool, &'static str); 6] = [
        (&["now"], true, "now()"),
        (&["current_timestamp"], false, "CURRENT_TIMESTAMP"),
        (&["current_date"], false, "CURRENT_DATE"),
        (&["localtimestamp"], false, "LOCALTIMESTAMP"),
        (&["transaction_timestamp"], true, "transaction_timestamp()"),
        (&["clock_timestamp"], true, "clock_timestamp()"),
    ];
    moments.into_iter().find_map(|(words, is_call, sql)| {
        let mut parser = Parser::new(tokens);
        let begins = parser.take(words);
        let called = !is_call || parser.parenthesised().is_ok_and(<[Token]>::is_empty);
        (begins && called && parser.at_end()).then_some(DefaultValue::Moment(sql))
    })
}

/// `timezone('UTC', now())`, or the notation of servers, `timezone('UTC'::text, now())`.
fn is_now_in_utc(tokens: &[Token]) -> bool {
    let mut parser = Parser::new(tokens);
    if !parser.take(&["timezone"]) {
        return false;
    }
    let Ok(inside) = parser.parenthesised() else {
        return false;
    };
    let [zone, now] = split_at_commas(inside)[..] else {
        return false;
    };
    let mut now = Parser::new(now);
    let is_now = now.take(&["now"]) && now.parenthesised().is_ok_and(<[Token]>::is_empty);
    let is_utc = |token: &Token| matches!(token, Token::Text(zone) if zone == "UTC");
    let is_text = |rest: &[Token]| match rest {
        [] => true,
        [Token::Cast, Token::Word(name)] => name == "text",
        _ => false,
    };
    let zone = zone.split_first();
    let is_zone = zone.is_some_and(|(zone, rest)| is_utc(zone) && is_text(rest));
    is_zone && is_now && now.at_end() && parser.at_end()
}

/// A constant with its cast: `'x'::character varying`, `(-1)`, `'-1'::integer`, `true`.
fn literal(tokens: &[Token]) -> Option<DefaultValue> {
    let mut parser = Parser::new(tokens);
    let constant = if tokens.first() == Some(&Token::Symbol('(')) {
        let mut inside = Parser::new(parser.parenthesised().ok()?);
        let constant = signed(&mut inside)?;
        inside.at_end().then_some(constant)?
    } else {
        signed(&mut parser)?
    };
    let data_type = if parser.take_cast() {
        Some(parser.type_name().ok()?)
    } else {
        None
    };
    parser
        .at_end()
        .then_some(DefaultValue::Literal(constant, data_type))
}

fn signed(parser: &mut Parser<'_>) -> Option<Literal> {
    let negative = parser.take_symbol('-');
    if let [Token::Word(kind), Token::Text(digits), ..] = parser.rest()
        && kind == "b"
        && digits.bytes().all(|digit| matches!(digit, b'0' | b'1'))
    {
        let constant = Literal::Bits(digits.clone());
        parser.next();
        parser.next();
        return (!negative).then_some(constant);
    }
    let constant = match parser.next()? {
        Token::Number(number) if negative => Literal::Number(format!("-{number}")),
        Token::Number(number) => Literal::Number(number.clone()),
        Token::Text(text) => Literal::Text(text.clone()),
        Token::Word(word) if word == "true" || word == "false" => Literal::Boolean(word == "true"),
        Token::Word(word) if word == "null" => Literal::Null,
        _ => return None,
    };
    let is_number = matches!(constant, Literal::Number(_));
    (is_number || !negative).then_some(constant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::postgresql::lexer::tokens;

    #[test]
    fn sequences_of_defaults() {
        for (default, sequence) in [
            ("nextval('public.a_seq'::regclass)", "a_seq"),
            ("nextval('a_seq'::regclass)", "a_seq"),
            ("nextval(('public.a_seq'::text)::regclass)", "a_seq"),
            ("nextval('public.\"A seq\"'::regclass)", "A seq"),
        ] {
            let found = default_value(&tokens(default, false).unwrap());
            assert_eq!(
                found,
                DefaultValue::NextValue(sequence.to_owned()),
                "{default}"
            );
        }
        for other in [
            "nextval(evil('x'))",
            "nextval('a'::regclass) + 1",
            "evil.nextval('a')",
        ] {
            let found = default_value(&tokens(other, false).unwrap());
            assert_eq!(found, DefaultValue::Other, "{other}");
        }
    }
}
