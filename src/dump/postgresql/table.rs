//! Reads CREATE TABLE and defaults.

use super::definition::{
    ColumnDefinition, Constraint, ConstraintKind, DefaultValue, Generated, Literal, TableDefinition,
};
use super::expression::expression;
use super::lexer::Token;
use super::parser::{Parser, not_understood, split_at_commas};
use super::statement::{check, constraint, name_in_text};
use crate::error::Result;

/// Words that end the default of a column.
const BEHIND_A_DEFAULT: [&str; 7] = [
    "not",
    "collate",
    "generated",
    "constraint",
    "primary",
    "unique",
    "check",
];

/// The table that the statement of `tokens` creates.
pub(super) fn create_table(tokens: &[Token]) -> Result<TableDefinition> {
    let mut parser = Parser::new(tokens);
    parser.until(&["table"]);
    parser.take(&["table"]);
    parser.take(&["if", "not", "exists"]);
    let mut table = TableDefinition {
        name: parser.qualified()?,
        columns: Vec::new(),
        constraints: Vec::new(),
        unusual: None,
    };
    for item in split_at_commas(parser.parenthesised()?) {
        add_item(&mut table, item)
            .map_err(|error| error.at(format!("the table {}", table.name)))?;
    }
    let unusual = [
        ("inherits", "it inherits from another table"),
        ("partition", "it has partitions"),
    ];
    table.unusual = unusual
        .into_iter()
        .find(|(word, _)| parser.is(word))
        .map(|(_, what)| what);
    // `WITH (oids = false)`, `TABLESPACE`, `USING heap`: how it is stored.
    Ok(table)
}

fn add_item(table: &mut TableDefinition, item: &[Token]) -> Result<()> {
    let mut parser = Parser::new(item);
    if parser.take(&["constraint"]) {
        let name = parser.name()?;
        table.constraints.push(constraint(name, &mut parser)?);
        return Ok(());
    }
    let kinds = [
        ("primary", "pkey"),
        ("unique", "key"),
        ("foreign", "fkey"),
        ("check", "check"),
        ("exclude", "excl"),
    ];
    if let Some((_, suffix)) = kinds.iter().find(|(word, _)| parser.is(word)) {
        let name = format!("{}_{suffix}", table.name);
        table.constraints.push(constraint(name, &mut parser)?);
        return Ok(());
    }
    let column = column(table, parser)?;
    table.columns.push(column);
    Ok(())
}

fn column(table: &mut TableDefinition, mut parser: Parser<'_>) -> Result<ColumnDefinition> {
    let name = parser.name()?;
    let data_type = parser
        .type_name()
        .map_err(|error| error.at(format!("column {name}")))?;
    let mut column = ColumnDefinition {
        name,
        data_type,
        not_null: false,
        default: None,
        is_collated: false,
        generated: None,
    };
    let mut other = |kind| {
        table.constraints.push(Constraint {
            name: format!("{}_{}_check", table.name, column.name),
            kind,
            has_more: false,
        });
    };
    while !parser.at_end() {
        if parser.take(&["not", "null"]) {
            column.not_null = true;
            // Nothing inherits from what is made of it.
            parser.take(&["no", "inherit"]);
        } else if parser.take(&["null"]) {
        } else if parser.take(&["default"]) {
            column.default = Some(default_value(parser.until(&BEHIND_A_DEFAULT)));
        } else if parser.take(&["collate"]) {
            let collation = parser.qualified()?;
            column.is_collated = collation != "default";
        } else if parser.take(&["generated"]) {
            column.generated = Some(generated(&mut parser)?);
        } else if parser.take(&["constraint"]) {
            parser.name()?;
        } else if parser.take(&["check"]) {
            other(check(parser.parenthesised()?));
        } else if parser.take(&["primary", "key"]) {
            column.not_null = true;
            other(ConstraintKind::PrimaryKey(vec![column.name.clone()]));
        } else if parser.take(&["unique"]) {
            other(ConstraintKind::Unique(vec![column.name.clone()]));
        } else {
            let what = format!("column {} has more than is known", column.name);
            return Err(not_understood(&what));
        }
    }
    Ok(column)
}

/// How a column is computed, as the part behind GENERATED says.
fn generated(parser: &mut Parser<'_>) -> Result<Generated> {
    let mut of = None;
    if parser.take(&["always", "as"]) {
        let inside = parser.parenthesised()?;
        of = expression(inside).filter(|_| parser.take(&["stored"]));
    }
    parser.until(&["constraint", "not"]);
    Ok(of.map_or(Generated::Other, Generated::Stored))
}

/// The default that `tokens` write.
pub(super) fn default_value(tokens: &[Token]) -> DefaultValue {
    next_value(tokens)
        .or_else(|| moment(tokens))
        .or_else(|| literal(tokens))
        .unwrap_or(DefaultValue::Other)
}

/// `nextval('s'::regclass)`, and as older servers wrote it, `nextval(('s'::text)::regclass)`.
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

fn moment(tokens: &[Token]) -> Option<DefaultValue> {
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

/// `timezone('UTC', now())`, and as a server writes it, `timezone('UTC'::text, now())`.
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

    fn table(statement: &str) -> TableDefinition {
        create_table(&tokens(statement, false).unwrap()).unwrap()
    }

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

    #[test]
    fn tables_that_are_more_than_tables() {
        assert!(
            table("CREATE TABLE t (a int) INHERITS (u)")
                .unusual
                .is_some()
        );
        assert!(
            table("CREATE TABLE t (a int) PARTITION BY RANGE (a)")
                .unusual
                .is_some()
        );
        assert!(
            table("CREATE TABLE t (a int)\nWITH (oids = false)")
                .unusual
                .is_none()
        );
        let generated = |how: &str| {
            let column = format!("CREATE TABLE t (b int, a int GENERATED {how} NOT NULL)");
            let column = table(&column).columns.remove(1);
            assert!(column.not_null, "{how}");
            column.generated
        };
        let by = expression(&tokens("(b + 1)::integer", false).unwrap()).unwrap();
        let stored = generated("ALWAYS AS ((b + 1)::integer) STORED");
        assert_eq!(stored, Some(Generated::Stored(by)));
        for other in [
            "ALWAYS AS (evil(b)) STORED",
            "ALWAYS AS (b)",
            "ALWAYS AS (b) VIRTUAL",
            "BY DEFAULT AS IDENTITY",
        ] {
            assert_eq!(generated(other), Some(Generated::Other), "{other}");
        }
        let nulls = table(
            "CREATE TABLE t (a int CONSTRAINT must NOT NULL, b int NOT NULL NO INHERIT, c int)",
        );
        let not_null: Vec<bool> = nulls.columns.iter().map(|column| column.not_null).collect();
        assert_eq!(not_null, [true, true, false]);
        assert_eq!(nulls.constraints.len(), 0);
        let constrained =
            table("CREATE TABLE t (a int, CONSTRAINT c CHECK ((a > 0)), PRIMARY KEY (a))");
        assert_eq!(constrained.constraints.len(), 2);
        let modifier = tokens("CREATE TABLE t (a numeric(evil()))", false).unwrap();
        assert!(create_table(&modifier).is_err());
        let of_select = tokens("CREATE TABLE t AS SELECT 1", false).unwrap();
        assert!(create_table(&of_select).is_err());
    }
}
