//! Tells what a statement of a PostgreSQL dump is for, as pg_dump 9.1 to 18 and `convert` write them.

use super::definition::{
    Constraint, ConstraintKind, Definition, IndexDefinition, IndexMethod, IndexPart,
    SequenceDefinition,
};
use super::expression::expression;
use super::lexer::{Token, first_tokens, tokens};
use super::own::{is_raise_of_sequence, is_type_of_sequence};
use super::parser::{Parser, not_understood, split_at_commas};
use super::table::{create_table, default_value};
use crate::dump::mysql::reader::InsertTarget;
use crate::error::{Error, Result};

/// What a statement asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// A definition, or more of one.
    Definition(Definition),
    /// Lines of rows follow.
    Copy(InsertTarget),
    /// Something the import does not take over: its kind and name.
    LeftOut(&'static str, String),
    /// `SET client_encoding`
    Encoding(String),
    /// `SET standard_conforming_strings`: whether backslashes escape in ordinary strings.
    Escapes(bool),
    /// Session settings, owners, grants, drops: of no consequence for the data.
    WithoutEffect,
    /// Anything else; it might change data.
    Unknown,
}

/// Statements that begin like this change no row of a table in the dump.
const WITHOUT_EFFECT: [&str; 14] = [
    "set", "drop", "grant", "revoke", "begin", "start", "commit", "lock", "analyze", "vacuum",
    "security", "reset", "refresh", "comment",
];

/// What can be created that is no table, and what it is called.
const LEFT_OUT: [(&str, &str); 23] = [
    ("view", "view"),
    ("function", "function"),
    ("procedure", "procedure"),
    ("trigger", "trigger"),
    ("type", "type"),
    ("domain", "domain"),
    ("extension", "extension"),
    ("aggregate", "aggregate"),
    ("operator", "operator"),
    ("cast", "cast"),
    ("collation", "collation"),
    ("conversion", "conversion"),
    ("rule", "rule"),
    ("policy", "policy"),
    ("language", "language"),
    ("server", "server"),
    ("statistics", "statistics"),
    ("publication", "publication"),
    ("subscription", "subscription"),
    ("transform", "transform"),
    ("text", "text search configuration"),
    ("access", "access method"),
    ("foreign", "foreign table"),
];

/// How many tokens decide what kind of statement it is.
const ENOUGH: usize = 16;

/// Classifies `statement`; `escapes` tells whether backslashes escape in ordinary strings.
pub(super) fn classify(statement: &str, escapes: bool) -> Result<Statement> {
    let first = first_tokens(statement, ENOUGH);
    let begins = |words: &[&str]| Parser::new(&first).take(words);
    let whole = || tokens(statement, escapes);
    Ok(match first.first() {
        None => Statement::WithoutEffect,
        Some(Token::Word(word)) => match word.as_str() {
            "set" => set(&first),
            "create" => return create(&first, &whole),
            "alter" => return alter(&first, &whole),
            "select" => return select(&first, &whole),
            "do" if is_type_of_sequence(statement, escapes)? => Statement::WithoutEffect,
            "copy" => return copy(&whole()?),
            "comment" if !begins(&["comment", "on", "extension"]) => return comment(&whole()?),
            word if WITHOUT_EFFECT.contains(&word) => Statement::WithoutEffect,
            _ => Statement::Unknown,
        },
        Some(_) => Statement::Unknown,
    })
}

fn set(first: &[Token]) -> Statement {
    let mut parser = Parser::new(first);
    parser.take(&["set"]);
    let _ = parser.take(&["session"]) || parser.take(&["local"]);
    let name = parser.name().unwrap_or_default();
    let _ = parser.take_symbol('=') || parser.take(&["to"]);
    let value = match parser.next() {
        Some(Token::Text(value) | Token::Word(value)) => value.to_ascii_lowercase(),
        _ => String::new(),
    };
    match name.as_str() {
        "client_encoding" => Statement::Encoding(value),
        "standard_conforming_strings" => {
            Statement::Escapes(["off", "false", "no", "0"].contains(&value.as_str()))
        }
        _ => Statement::WithoutEffect,
    }
}

type Whole<'a> = &'a dyn Fn() -> Result<Vec<Token>>;

fn create(first: &[Token], whole: Whole<'_>) -> Result<Statement> {
    let mut parser = Parser::new(first);
    parser.take(&["create"]);
    parser.take(&["or", "replace"]);
    let words = [
        "unlogged",
        "temporary",
        "temp",
        "recursive",
        "materialized",
        "constraint",
        "event",
        "trusted",
        "procedural",
        "default",
        "unique",
    ];
    let mut is_temporary = false;
    while let Some(word) = words.iter().find(|word| parser.is(word)) {
        is_temporary |= word.starts_with("temp");
        parser.take(&[*word]);
    }
    if parser.is("table") {
        if is_temporary {
            return Ok(Statement::Unknown);
        }
        return Ok(Statement::Definition(Definition::Table(create_table(
            &whole()?,
        )?)));
    }
    if parser.is("sequence") {
        return create_sequence(&whole()?);
    }
    if parser.is("index") {
        return create_index(&whole()?);
    }
    if parser.is("schema") || parser.is("database") || parser.is("role") || parser.is("user") {
        return Ok(Statement::WithoutEffect);
    }
    if parser.is("type")
        && let Some(enum_type) = create_enum(&whole()?)
    {
        return Ok(Statement::Definition(enum_type));
    }
    let kind = LEFT_OUT.iter().find(|(word, _)| parser.take(&[*word]));
    Ok(match kind {
        Some((_, kind)) => {
            parser.take(&["if", "not", "exists"]);
            // Every database has it, and older versions of pg_dump say so.
            if parser.is("plpgsql") {
                return Ok(Statement::WithoutEffect);
            }
            Statement::LeftOut(kind, parser.qualified().unwrap_or_default())
        }
        None => Statement::Unknown,
    })
}

/// `CREATE TYPE … AS ENUM`
fn create_enum(tokens: &[Token]) -> Option<Definition> {
    let mut parser = Parser::new(tokens);
    parser.take(&["create", "type"]);
    let name = parser.qualified().ok()?;
    if !parser.take(&["as", "enum"]) {
        return None;
    }
    let values = split_at_commas(parser.parenthesised().ok()?);
    let value = |part: &[Token]| match part {
        [Token::Text(value)] => Some(value.clone()),
        _ => None,
    };
    let values = values.into_iter().map(value).collect::<Option<_>>()?;
    let whole = parser.at_end();
    whole.then_some(Definition::EnumType { name, values })
}

fn create_sequence(tokens: &[Token]) -> Result<Statement> {
    let mut parser = Parser::new(tokens);
    parser.until(&["sequence"]);
    parser.take(&["sequence"]);
    parser.take(&["if", "not", "exists"]);
    let name = parser.qualified()?;
    let sequence = sequence_options(parser, name);
    Ok(Statement::Definition(Definition::Sequence(sequence)))
}

/// The options that follow; all but the increment are about where it stands, which is set anew.
fn sequence_options(mut parser: Parser<'_>, name: String) -> SequenceDefinition {
    parser.until(&["increment"]);
    parser.take(&["increment"]);
    parser.take(&["by"]);
    let sign = if parser.take_symbol('-') { "-" } else { "" };
    let increment = match parser.next() {
        Some(Token::Number(number)) => Some(format!("{sign}{number}")),
        _ => None,
    };
    SequenceDefinition {
        name,
        increment: increment.filter(|increment| increment != "1"),
    }
}

/// `ALTER TABLE … ADD GENERATED …` and other changes of what was created before.
fn alter(first: &[Token], whole: Whole<'_>) -> Result<Statement> {
    let mut parser = Parser::new(first);
    parser.take(&["alter"]);
    if parser.take(&["table"]) {
        parser.take(&["only"]);
        parser.take(&["if", "exists"]);
        parser.take(&["only"]);
        let Ok(table) = parser.qualified() else {
            return Ok(Statement::Unknown);
        };
        return alter_table(&table, &parser, whole);
    }
    if parser.is("default") || parser.is("database") || parser.is("role") {
        return Ok(Statement::WithoutEffect);
    }
    // Who owns a sequence does not matter: each is owned by the column whose default it is.
    let harmless = |token: &Token| matches!(token, Token::Word(word) if ["owner", "owned", "depends", "statistics"].contains(&word.as_str()));
    Ok(if parser.rest().iter().any(harmless) {
        Statement::WithoutEffect
    } else {
        Statement::Unknown
    })
}

fn alter_table(table: &str, begin: &Parser<'_>, whole: Whole<'_>) -> Result<Statement> {
    let harmless: [&[&str]; 12] = [
        &["owner", "to"],
        &["drop", "constraint"],
        &["cluster", "on"],
        &["replica", "identity"],
        &["enable", "trigger"],
        &["disable", "trigger"],
        &["set", "without"],
        &["set", "tablespace"],
        &["set", "logged"],
        &["set", "unlogged"],
        &["set", "access"],
        &["validate", "constraint"],
    ];
    let begins = |words: &[&str]| begin.clone().take(words);
    if harmless.iter().any(|words| begins(words)) {
        return Ok(Statement::WithoutEffect);
    }
    if begins(&["enable", "row"]) || begins(&["force", "row"]) {
        return Ok(Statement::LeftOut("row security of", table.to_owned()));
    }
    let tokens = whole()?;
    let skipped = tokens.len().min(ENOUGH) - begin.rest().len();
    let mut parser = Parser::new(&tokens[skipped..]);
    if parser.take(&["add", "constraint"]) {
        let name = parser.name()?;
        let constraint = constraint(name, &mut parser)?;
        return Ok(Statement::Definition(Definition::Constraint {
            table: table.to_owned(),
            constraint,
        }));
    }
    if let Some(columns) = not_null_columns(parser.rest()) {
        let table = table.to_owned();
        return Ok(Statement::Definition(Definition::NotNull {
            table,
            columns,
        }));
    }
    if !parser.take(&["alter"]) {
        return Ok(Statement::Unknown);
    }
    parser.take(&["column"]);
    let column = parser.name()?;
    alter_column(table.to_owned(), column, parser)
}

/// The columns of `ALTER COLUMN a SET NOT NULL, ALTER COLUMN b SET NOT NULL`, if all of it is so.
fn not_null_columns(tokens: &[Token]) -> Option<Vec<String>> {
    let column = |action: &[Token]| {
        let mut parser = Parser::new(action);
        let is_alter = parser.take(&["alter"]);
        parser.take(&["column"]);
        let name = parser.name().ok().filter(|_| is_alter)?;
        (parser.take(&["set", "not", "null"]) && parser.at_end()).then_some(name)
    };
    split_at_commas(tokens).into_iter().map(column).collect()
}

fn alter_column(table: String, column: String, mut parser: Parser<'_>) -> Result<Statement> {
    let definition = if parser.take(&["set", "default"]) {
        Definition::Default {
            default: default_value(parser.rest()),
            table,
            column,
        }
    } else if parser.take(&["add", "generated"]) {
        parser.until(&["identity"]);
        parser.take(&["identity"]);
        let mut options = Parser::new(parser.parenthesised()?);
        let name = if options.take(&["sequence", "name"]) {
            options.qualified()?
        } else {
            format!("{table}_{column}_seq")
        };
        Definition::Identity {
            sequence: sequence_options(options, name),
            table,
            column,
        }
    } else if ["statistics", "storage", "compression"]
        .iter()
        .any(|what| parser.take(&["set", what]))
        || parser.take(&["drop", "default"])
        || parser.take(&["set"]) && parser.take_symbol('(')
    {
        return Ok(Statement::WithoutEffect);
    } else {
        return Ok(Statement::Unknown);
    };
    Ok(Statement::Definition(definition))
}

/// What a constraint says, behind its name.
pub(in crate::dump) fn constraint(name: String, parser: &mut Parser<'_>) -> Result<Constraint> {
    let kind = if parser.take(&["primary", "key"]) {
        ConstraintKind::PrimaryKey(parser.names()?)
    } else if parser.take(&["unique"]) {
        if parser.is("nulls") {
            return Ok(other(name, "UNIQUE NULLS NOT DISTINCT"));
        }
        ConstraintKind::Unique(parser.names()?)
    } else if parser.take(&["foreign", "key"]) {
        return foreign_key(name, parser);
    } else if parser.take(&["check"]) {
        check(parser.parenthesised()?)
    } else if parser.take(&["exclude"]) {
        return Ok(other(name, "EXCLUDE"));
    } else if parser.take(&["not", "null"]) {
        // PostgreSQL 18: only one that rows may break, since it was never validated, stands here.
        return Ok(other(name, "NOT NULL"));
    } else {
        return Err(not_understood("a constraint is of an unknown kind"));
    };
    Ok(Constraint {
        name,
        kind,
        has_more: !parser.at_end(),
    })
}

/// The CHECK of the expression that `tokens` write.
pub(super) fn check(tokens: &[Token]) -> ConstraintKind {
    expression(tokens).map_or(ConstraintKind::Other("CHECK"), ConstraintKind::Check)
}

fn other(name: String, kind: &'static str) -> Constraint {
    Constraint {
        name,
        kind: ConstraintKind::Other(kind),
        has_more: false,
    }
}

fn foreign_key(name: String, parser: &mut Parser<'_>) -> Result<Constraint> {
    let columns = parser.names()?;
    if !parser.take(&["references"]) {
        return Err(not_understood("a foreign key references nothing"));
    }
    let references = parser.qualified()?;
    let referenced_columns = parser.names()?;
    let (mut on_delete, mut on_update) = (None, None);
    while parser.take(&["on"]) {
        let to = if parser.take(&["delete"]) {
            &mut on_delete
        } else if parser.take(&["update"]) {
            &mut on_update
        } else {
            break;
        };
        let actions: [(&[&str], &'static str); 5] = [
            (&["cascade"], "CASCADE"),
            (&["set", "null"], "SET NULL"),
            (&["set", "default"], "SET DEFAULT"),
            (&["restrict"], "RESTRICT"),
            (&["no", "action"], "NO ACTION"),
        ];
        let action = actions.iter().find(|(words, _)| parser.take(words));
        *to = action.map(|(_, action)| *action);
    }
    parser.take(&["not", "valid"]);
    Ok(Constraint {
        name,
        kind: ConstraintKind::ForeignKey {
            columns,
            references,
            referenced_columns,
            on_delete,
            on_update,
        },
        has_more: !parser.at_end(),
    })
}

/// The operator classes that change how a btree is used, all of them built in.
const OPERATOR_CLASSES: [&str; 5] = [
    "varchar_pattern_ops",
    "text_pattern_ops",
    "bpchar_pattern_ops",
    "text_ops",
    "varchar_ops",
];

fn create_index(tokens: &[Token]) -> Result<Statement> {
    let mut parser = Parser::new(tokens);
    parser.take(&["create"]);
    let is_unique = parser.take(&["unique"]);
    parser.take(&["index"]);
    parser.take(&["concurrently"]);
    parser.take(&["if", "not", "exists"]);
    let name = parser.name()?;
    if !parser.take(&["on"]) {
        return Err(not_understood("an index is on nothing"));
    }
    parser.take(&["only"]);
    let table = parser.qualified()?;
    let method = if parser.take(&["using"]) {
        parser.name()?
    } else {
        "btree".to_owned()
    };
    let method = match method.as_str() {
        "btree" => Ok(IndexMethod::Btree),
        "gin" => Ok(IndexMethod::Gin),
        _ => Err("it is no btree"),
    };
    let parts = split_at_commas(parser.parenthesised()?);
    let parts = method.and_then(|_| parts.into_iter().map(index_part).collect());
    // Parameters of its storage are none of its meaning.
    if parser.take(&["with"]) {
        parser.parenthesised()?;
    }
    let parts = match (parser.at_end(), parser.is("where")) {
        (true, _) => parts,
        (_, true) => Err("it is over some of the rows only"),
        _ => Err("it has more than columns"),
    };
    Ok(Statement::Definition(Definition::Index(IndexDefinition {
        name,
        table,
        is_unique,
        method: method.unwrap_or(IndexMethod::Btree),
        parts,
    })))
}

fn index_part(tokens: &[Token]) -> std::result::Result<IndexPart, &'static str> {
    let unknown = "it has an expression or an operator class that is not known";
    let mut parser = Parser::new(tokens);
    let opens = |parser: &Parser<'_>| parser.rest().first() == Some(&Token::Symbol('('));
    // A column, `function(…)`, or `(expression)`.
    if !opens(&parser) {
        parser.name().map_err(|_| unknown)?;
    }
    if opens(&parser) {
        parser.parenthesised().map_err(|_| unknown)?;
    }
    let of = &tokens[..tokens.len() - parser.rest().len()];
    let of = expression(of).ok_or(unknown)?;
    parser.take(&["pg_catalog"]);
    parser.take_symbol('.');
    let operator_class = OPERATOR_CLASSES
        .into_iter()
        .find(|class| parser.take(&[class]));
    let descending = parser.take(&["desc"]);
    parser.take(&["asc"]);
    let nulls_first = if parser.take(&["nulls", "first"]) {
        Some(true)
    } else {
        parser.take(&["nulls", "last"]).then_some(false)
    };
    if !parser.at_end() {
        return Err(unknown);
    }
    Ok(IndexPart {
        of,
        operator_class,
        descending,
        nulls_first,
    })
}

fn select(first: &[Token], whole: Whole<'_>) -> Result<Statement> {
    let mut parser = Parser::new(first);
    parser.take(&["select"]);
    parser.take(&["pg_catalog"]);
    parser.take_symbol('.');
    if parser.take(&["set_config"]) {
        return Ok(Statement::WithoutEffect);
    }
    if !parser.take(&["setval"]) {
        return Ok(Statement::Unknown);
    }
    let tokens = whole()?;
    if is_raise_of_sequence(&tokens[1..]) {
        return Ok(Statement::WithoutEffect);
    }
    let mut parser = Parser::new(&tokens);
    parser.until(&["setval"]);
    parser.take(&["setval"]);
    let parts = split_at_commas(parser.parenthesised()?);
    if !parser.at_end() {
        return Ok(Statement::Unknown);
    }
    let (Some([Token::Text(sequence), ..]), Some(value)) = (parts.first(), parts.get(1)) else {
        return Ok(Statement::Unknown);
    };
    // One that counts down stands below zero, and counts up from one now.
    let value: u64 = match value {
        [Token::Number(number)] => number
            .parse()
            .map_err(|_| not_understood("a sequence is set to no number"))?,
        [Token::Symbol('-'), Token::Number(_)] => 0,
        _ => return Ok(Statement::Unknown),
    };
    let called = match parts.get(2) {
        None => true,
        Some([Token::Word(word)]) if word == "true" || word == "false" => word == "true",
        Some(_) => return Ok(Statement::Unknown),
    };
    Ok(Statement::Definition(Definition::SetValue {
        sequence: name_in_text(sequence),
        next: value.saturating_add(u64::from(called)),
    }))
}

/// The name in a text such as `'public."A_id_seq"'`, without its schema.
pub(super) fn name_in_text(text: &str) -> String {
    let tokens = first_tokens(text, ENOUGH);
    Parser::new(&tokens)
        .qualified()
        .unwrap_or_else(|_| text.to_owned())
}

fn copy(tokens: &[Token]) -> Result<Statement> {
    let mut parser = Parser::new(tokens);
    parser.take(&["copy"]);
    let table = parser.qualified()?;
    let columns = if parser.rest().first() == Some(&Token::Symbol('(')) {
        Some(parser.names()?)
    } else {
        None
    };
    if parser.take(&["from", "stdin"]) && parser.at_end() {
        return Ok(Statement::Copy(InsertTarget { table, columns }));
    }
    Err(Error::archive(format!(
        "the COPY of {table} is none that pg_dump writes, and is refused"
    ))
    .hint("only COPY … FROM stdin without options is read"))
}

/// The head of an INSERT, up to VALUES.
pub(super) fn insert_head(head: &str) -> Result<InsertTarget> {
    let tokens = tokens(head, false)?;
    let mut parser = Parser::new(&tokens);
    if !parser.take(&["insert", "into"]) {
        return Err(not_understood("an INSERT goes nowhere"));
    }
    let table = parser.qualified()?;
    let columns = if parser.rest().first() == Some(&Token::Symbol('(')) {
        Some(parser.names()?)
    } else {
        None
    };
    parser.take(&["overriding", "system", "value"]);
    if parser.take(&["values"]) && parser.at_end() {
        return Ok(InsertTarget { table, columns });
    }
    Err(not_understood("an INSERT has more than columns and values"))
}

/// Whether what follows the tuples of an INSERT changes nothing of them.
pub(super) fn is_end_of_insert(text: &str) -> bool {
    let tokens = first_tokens(text, ENOUGH);
    let mut parser = Parser::new(&tokens);
    parser.take(&["on", "conflict", "do", "nothing"]);
    parser.at_end()
}

fn comment(tokens: &[Token]) -> Result<Statement> {
    let mut parser = Parser::new(tokens);
    parser.take(&["comment", "on"]);
    let text = |parser: &mut Parser<'_>| match (parser.take(&["is"]), parser.next()) {
        (true, Some(Token::Text(text))) => Some(text.clone()),
        _ => None,
    };
    let definition = if parser.take(&["table"]) {
        let table = parser.qualified()?;
        text(&mut parser).map(|text| Definition::Comment {
            table,
            column: None,
            text,
        })
    } else if parser.take(&["column"]) {
        let mut path = parser.path()?;
        let (column, table) = (path.pop(), path.pop());
        let text = text(&mut parser);
        table.zip(text).map(|(table, text)| Definition::Comment {
            table,
            column,
            text,
        })
    } else if parser.take(&["index"]) {
        let index = parser.qualified()?;
        text(&mut parser).map(|text| Definition::IndexComment { index, text })
    } else {
        None
    };
    Ok(definition.map_or(Statement::WithoutEffect, Statement::Definition))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(statement: &str) -> Definition {
        match classify(statement, false) {
            Ok(Statement::Definition(definition)) => definition,
            other => panic!("{statement}: {other:?}"),
        }
    }

    #[test]
    fn what_has_no_effect_on_data() {
        for statement in [
            "SET statement_timeout = 0",
            "SET search_path = public, pg_catalog",
            "SELECT pg_catalog.set_config('search_path', '', false)",
            "DROP TABLE IF EXISTS public.t",
            "ALTER TABLE ONLY public.t DROP CONSTRAINT t_pkey",
            "ALTER TABLE public.t ALTER COLUMN id DROP DEFAULT",
            "ALTER TABLE IF EXISTS ONLY public.t ALTER COLUMN a SET STATISTICS 100",
            "ALTER TABLE public.t OWNER TO git",
            "ALTER TABLE public.t CLUSTER ON i",
            "ALTER SEQUENCE public.s OWNED BY public.t.id",
            "ALTER FUNCTION f() OWNER TO git",
            "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT ALL ON TABLES TO b",
            "GRANT ALL ON TABLE t TO git",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            "CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog",
            "COMMENT ON EXTENSION plpgsql IS 'x'",
            "COMMENT ON FUNCTION f() IS 'x'",
            "CREATE SCHEMA a",
            "BEGIN",
            "",
        ] {
            let found = classify(statement, false).unwrap();
            assert_eq!(found, Statement::WithoutEffect, "{statement}");
        }
    }

    #[test]
    fn what_is_left_out_has_kind_and_name() {
        for (statement, kind, name) in [
            (
                "CREATE OR REPLACE FUNCTION public.f(a int) RETURNS int AS $$;$$",
                "function",
                "f",
            ),
            ("CREATE MATERIALIZED VIEW v AS SELECT 1", "view", "v"),
            (
                "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON x",
                "trigger",
                "t",
            ),
            ("CREATE TYPE public.\"A b\" AS (a int)", "type", "A b"),
            ("CREATE TYPE t AS ENUM ('x', evil())", "type", "t"),
            (
                "CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public",
                "extension",
                "hstore",
            ),
            (
                "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY",
                "row security of",
                "t",
            ),
        ] {
            let expected = Statement::LeftOut(kind, name.to_owned());
            assert_eq!(classify(statement, false).unwrap(), expected, "{statement}");
        }
    }

    #[test]
    fn columns_that_must_not_be_null() {
        let not_null = |columns: &[&str]| {
            Statement::Definition(Definition::NotNull {
                table: "t".to_owned(),
                columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            })
        };
        let found = |actions: &str| classify(&format!("ALTER TABLE t {actions}"), false).unwrap();
        let one = "ALTER COLUMN a SET NOT NULL";
        assert_eq!(found(one), not_null(&["a"]));
        let two = format!("{one}, ALTER \"B c\" SET NOT NULL");
        assert_eq!(found(&two), not_null(&["a", "B c"]));
        let other = format!("{one}, DROP COLUMN b");
        assert_eq!(found(&other), Statement::Unknown);
    }

    #[test]
    fn types_of_enums() {
        let expected = Definition::EnumType {
            name: "A b".to_owned(),
            values: vec!["it's".to_owned(), String::new()],
        };
        let found = definition("CREATE TYPE public.\"A b\" AS ENUM (\n    'it''s',\n    ''\n)");
        assert_eq!(found, expected);
    }

    #[test]
    fn settings_of_the_reader() {
        let found = |statement| classify(statement, false).unwrap();
        assert_eq!(
            found("SET client_encoding = 'UTF8'"),
            Statement::Encoding("utf8".to_owned())
        );
        assert_eq!(
            found("SET standard_conforming_strings = off"),
            Statement::Escapes(true)
        );
        assert_eq!(
            found("SET SESSION standard_conforming_strings TO 'on'"),
            Statement::Escapes(false)
        );
    }

    #[test]
    fn sequences_and_where_they_stand() {
        let set = |statement: &str| match definition(statement) {
            Definition::SetValue { sequence, next } => (sequence, next),
            other => panic!("{other:?}"),
        };
        let name = "a_id_seq".to_owned();
        assert_eq!(
            set("SELECT pg_catalog.setval('public.a_id_seq', 7, true)"),
            (name.clone(), 8)
        );
        assert_eq!(
            set("SELECT setval('a_id_seq', 1, false)"),
            (name.clone(), 1)
        );
        assert_eq!(set("SELECT setval('a_id_seq', -7, false)"), (name, 0));
        assert_eq!(
            set("SELECT setval('public.\"A B\"', 1)"),
            ("A B".to_owned(), 2)
        );
        let created = |statement: &str| match definition(statement) {
            Definition::Sequence(sequence) => (sequence.name, sequence.increment),
            other => panic!("{other:?}"),
        };
        let plain =
            "CREATE SEQUENCE public.s AS integer START WITH 1 INCREMENT BY 1 NO MINVALUE CACHE 1";
        assert_eq!(created(plain), ("s".to_owned(), None));
        let down = "CREATE SEQUENCE s START WITH 1 INCREMENT BY -2";
        assert_eq!(created(down), ("s".to_owned(), Some("-2".to_owned())));
    }

    #[test]
    fn keys_and_indexes() {
        let constraint = |statement: &str| match definition(statement) {
            Definition::Constraint { table, constraint } => (table, constraint),
            other => panic!("{other:?}"),
        };
        let (table, key) = constraint(
            "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT f FOREIGN KEY (a, \"B\") REFERENCES public.u(c, d) ON UPDATE SET NULL ON DELETE CASCADE",
        );
        assert_eq!((table.as_str(), key.has_more), ("t", false));
        let expected = ConstraintKind::ForeignKey {
            columns: vec!["a".to_owned(), "B".to_owned()],
            references: "u".to_owned(),
            referenced_columns: vec!["c".to_owned(), "d".to_owned()],
            on_delete: Some("CASCADE"),
            on_update: Some("SET NULL"),
        };
        assert_eq!(key.kind, expected);
        let (_, key) = constraint("ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (a) INCLUDE (b)");
        assert!(key.has_more);
        let (_, later) = constraint("ALTER TABLE t ADD CONSTRAINT l NOT NULL b NOT VALID");
        assert_eq!(later.kind, ConstraintKind::Other("NOT NULL"));
        let index = |statement: &str| match definition(statement) {
            Definition::Index(index) => index,
            other => panic!("{other:?}"),
        };
        let found = index(
            "CREATE UNIQUE INDEX i ON public.t USING btree (a, \"B\" varchar_pattern_ops DESC NULLS LAST) WITH (fillfactor='70')",
        );
        assert!(found.is_unique && found.table == "t" && found.name == "i");
        let parts = found.parts.unwrap();
        assert_eq!(parts[1].operator_class, Some("varchar_pattern_ops"));
        assert_eq!(
            (parts[1].descending, parts[1].nulls_first),
            (true, Some(false))
        );
        for left_out in [
            "CREATE INDEX i ON t USING gist (a)",
            "CREATE INDEX i ON t USING btree (evil(a))",
            "CREATE INDEX i ON t USING btree (((a || evil())))",
            "CREATE INDEX i ON t USING btree (a public.evil_ops)",
            "CREATE INDEX i ON t USING btree (a COLLATE \"C\")",
            "CREATE INDEX i ON t USING btree (a) WHERE (evil() > 0)",
            "CREATE UNIQUE INDEX i ON t USING btree (a) NULLS NOT DISTINCT",
        ] {
            assert!(index(left_out).parts.is_err(), "{left_out}");
        }
    }

    #[test]
    fn heads_of_rows() {
        let target = |columns: Option<&[&str]>| InsertTarget {
            table: "T x".to_owned(),
            columns: columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        };
        let copied = classify("COPY public.\"T x\" (a, \"b,\") FROM stdin", false).unwrap();
        assert_eq!(copied, Statement::Copy(target(Some(&["a", "b,"]))));
        let heads = [
            ("INSERT INTO \"T x\" VALUES ", None),
            (
                "INSERT INTO public.\"T x\" (a, b) OVERRIDING SYSTEM VALUE VALUES",
                Some(&["a", "b"][..]),
            ),
        ];
        for (head, columns) in heads {
            assert_eq!(insert_head(head).unwrap(), target(columns), "{head}");
        }
        assert!(insert_head("INSERT INTO t AS x VALUES").is_err());
        assert!(is_end_of_insert(" ON CONFLICT DO NOTHING") && is_end_of_insert(""));
        assert!(!is_end_of_insert("ON CONFLICT DO UPDATE SET a = 1"));
    }
}
