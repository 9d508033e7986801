//! Reads the statements of a converted dump around its tables: a few forms of PostgreSQL's statements. Any other
//! statement is refused, since it might change data.

use super::part::Part;
use crate::dump::bounds::unknown_statement;
use crate::dump::mysql::definition::{
    ForeignKeyDefinition, KeyDefinition, KeyKind, KeyPart, KeyPartOf,
};
use crate::dump::postgresql::constraint::constraint;
use crate::dump::postgresql::definition::ConstraintKind;
use crate::dump::postgresql::lexer::{Token, tokens};
use crate::dump::postgresql::parser::{Parser, split_at_commas};
use crate::error::Result;

/// What a statement is for.
#[derive(Debug, PartialEq)]
pub(super) enum EndStatement {
    /// `START TRANSACTION`
    Begin,
    /// `COMMIT`
    Commit,
    /// Parts of definitions; none if the statement has no effect here.
    Parts(Vec<Part>),
}

/// Reads `statement`, without its semicolon.
pub(super) fn read(statement: &str) -> Result<EndStatement> {
    let tokens = tokens(statement, true)?;
    let mut parser = Parser::new(&tokens);
    let parts = match tokens.first() {
        None => Some(Vec::new()),
        Some(Token::Word(word)) => match word.as_str() {
            "start" => {
                let begins = parser.take(&["start", "transaction"]) && parser.at_end();
                return begins
                    .then_some(EndStatement::Begin)
                    .ok_or_else(|| unknown_statement(statement));
            }
            "commit" => {
                let commits = parser.take(&["commit"]) && parser.at_end();
                return commits
                    .then_some(EndStatement::Commit)
                    .ok_or_else(|| unknown_statement(statement));
            }
            "set" => is_setting(&tokens).then(Vec::new),
            "drop" => drops(&mut parser).then(Vec::new),
            "select" => is_setval(&mut parser).then(Vec::new),
            "alter" => alter_table(&mut parser)?,
            "create" => create(&mut parser)?,
            _ => None,
        },
        Some(_) => None,
    };
    let parts = parts.ok_or_else(|| unknown_statement(statement))?;
    Ok(EndStatement::Parts(parts))
}

/// Whether it is one of the settings at the top. Any other might change how rows are read.
fn is_setting(tokens: &[Token]) -> bool {
    let settings: [&[&str]; 3] = [
        &["set", "standard_conforming_strings", "=", "off"],
        &["set", "escape_string_warning", "=", "off"],
        &["set", "constraints", "all", "deferred"],
    ];
    let is = |token: &Token, word: &str| match token {
        Token::Word(found) => found == word,
        Token::Symbol('=') => word == "=",
        _ => false,
    };
    settings.iter().any(|setting| {
        setting.len() == tokens.len() && tokens.iter().zip(*setting).all(|(t, w)| is(t, w))
    })
}

/// `DROP TABLE IF EXISTS "t"`: live tables are handled elsewhere.
fn drops(parser: &mut Parser<'_>) -> bool {
    let kinds = ["table", "index", "sequence", "type"];
    parser.take(&["drop"])
        && kinds.iter().any(|kind| parser.take(&[kind]))
        && parser.take(&["if", "exists"])
        && parser.name().is_ok()
        && parser.at_end()
}

/// `SELECT setval('t_id_seq', max(id)) FROM t`: the import sets the sequence itself.
fn is_setval(parser: &mut Parser<'_>) -> bool {
    let is_call = parser.take(&["select", "setval"]);
    let inside = parser.parenthesised().unwrap_or_default();
    let is_max = matches!(split_at_commas(inside).as_slice(), [[Token::Text(_)], max]
        if matches!(max, [Token::Word(max), Token::Symbol('('), Token::Word(_) | Token::Name(_), Token::Symbol(')')] if max == "max"));
    is_call && is_max && parser.take(&["from"]) && parser.name().is_ok() && parser.at_end()
}

fn alter_table(parser: &mut Parser<'_>) -> Result<Option<Vec<Part>>> {
    if !parser.take(&["alter", "table"]) {
        return Ok(None);
    }
    let table = parser.name()?;
    if parser.take(&["add", "constraint"]) {
        return foreign_key(table, parser).map(|key| key.map(|key| vec![key]));
    }
    let mut parts = Vec::new();
    for action in split_at_commas(parser.rest()) {
        let Some(told) = alter_column(&table, &mut Parser::new(action))? else {
            return Ok(None);
        };
        parts.extend(told);
    }
    Ok(Some(parts))
}

/// The parts in one action on a column; none if it is not understood.
fn alter_column(table: &str, parser: &mut Parser<'_>) -> Result<Option<Vec<Part>>> {
    if !parser.take(&["alter", "column"]) {
        return Ok(None);
    }
    let (table, column) = (table.to_owned(), parser.name()?);
    let part = if parser.take(&["drop", "default"]) {
        None
    } else if parser.take(&["type", "boolean", "using", "cast"]) {
        let mut cast = Parser::new(parser.parenthesised()?);
        if cast.name()? != column || !cast.take(&["as", "boolean"]) || !cast.at_end() {
            return Ok(None);
        }
        Some(Part::Boolean(table, column))
    } else if parser.take(&["set", "default", "nextval"]) {
        if !matches!(parser.parenthesised()?, [Token::Text(_)]) {
            return Ok(None);
        }
        Some(Part::NextValue(table, column))
    } else if ["true", "false"]
        .iter()
        .any(|value| parser.take(&["set", "default", value]))
    {
        Some(Part::Default(table, column))
    } else {
        return Ok(None);
    };
    Ok(parser.at_end().then(|| part.into_iter().collect()))
}

fn foreign_key(table: String, parser: &mut Parser<'_>) -> Result<Option<Part>> {
    let name = parser.name()?;
    let constraint = constraint(name, parser)?;
    parser.take(&["deferrable", "initially", "deferred"]);
    let ConstraintKind::ForeignKey {
        columns,
        references,
        referenced_columns,
        on_delete,
        on_update,
    } = constraint.kind
    else {
        return Ok(None);
    };
    let key = ForeignKeyDefinition {
        name: Some(constraint.name),
        columns,
        database: None,
        references,
        referenced_columns,
        on_delete: on_delete.map(str::to_owned),
        on_update: on_update.map(str::to_owned),
    };
    Ok(parser.at_end().then_some(Part::ForeignKey(table, key)))
}

/// A sequence, which the import creates itself, or an index.
fn create(parser: &mut Parser<'_>) -> Result<Option<Vec<Part>>> {
    parser.take(&["create"]);
    if parser.take(&["sequence"]) {
        return Ok((parser.name().is_ok() && parser.at_end()).then(Vec::new));
    }
    let mut kind = if parser.take(&["unique"]) {
        KeyKind::Unique
    } else {
        KeyKind::Plain
    };
    if !parser.take(&["index"]) {
        return Ok(None);
    }
    let name = (!parser.is("on")).then(|| parser.name()).transpose()?;
    if !parser.take(&["on"]) {
        return Ok(None);
    }
    let table = parser.name()?;
    let columns = if parser.take(&["using", "gin"]) && kind == KeyKind::Plain {
        kind = KeyKind::Fulltext;
        fulltext_columns(parser.parenthesised()?)
    } else {
        parser.names().ok()
    };
    let part = |column| KeyPart {
        of: KeyPartOf::Column(column),
        prefix: None,
        descending: false,
    };
    let key = columns
        .filter(|_| parser.at_end())
        .map(|columns| KeyDefinition {
            kind,
            name,
            parts: columns.into_iter().map(part).collect(),
            using: None,
            comment: None,
        });
    Ok(key.map(|key| vec![Part::Key(table, key)]))
}

/// The columns of `to_tsvector('english', a || ' ' || b)`.
fn fulltext_columns(tokens: &[Token]) -> Option<Vec<String>> {
    let mut parser = Parser::new(tokens);
    if !parser.take(&["to_tsvector"]) {
        return None;
    }
    let inside = parser.parenthesised().ok()?;
    let [[Token::Text(_)], texts] = split_at_commas(inside)[..] else {
        return None;
    };
    let mut columns = Vec::new();
    for token in texts {
        match token {
            Token::Word(name) | Token::Name(name) => columns.push(name.clone()),
            Token::Symbol('|') => {}
            Token::Text(blank) if blank == " " => {}
            _ => return None,
        }
    }
    (parser.at_end() && !columns.is_empty()).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(statement: &str) -> Vec<Part> {
        match read(statement) {
            Ok(EndStatement::Parts(parts)) => parts,
            other => panic!("{statement}: {other:?}"),
        }
    }

    #[test]
    fn what_the_converter_writes() {
        for without_effect in [
            "SET standard_conforming_strings=off",
            "SET escape_string_warning=off",
            "SET CONSTRAINTS ALL DEFERRED",
            "DROP INDEX IF EXISTS \"index_ci_builds_on_commit_id\"",
            "DROP TABLE IF EXISTS \"ci_builds\"",
            "DROP SEQUENCE IF EXISTS ci_builds_id_seq",
            "CREATE SEQUENCE ci_builds_id_seq",
            "SELECT setval('ci_builds_id_seq', max(id)) FROM ci_builds",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" DROP DEFAULT",
            "",
        ] {
            assert_eq!(parts(without_effect), [], "{without_effect}");
        }
        assert_eq!(read("START TRANSACTION").unwrap(), EndStatement::Begin);
        assert_eq!(read("COMMIT").unwrap(), EndStatement::Commit);
        let place = || ("t".to_owned(), "a".to_owned());
        let cast = "ALTER COLUMN \"a\" TYPE boolean USING CAST(\"a\" as boolean)";
        let boolean = [Part::Boolean(place().0, place().1)];
        assert_eq!(parts(&format!("ALTER TABLE \"t\" {cast}")), boolean);
        // The converter wrote this before GitLab changed it.
        let both = format!("ALTER TABLE \"t\" ALTER COLUMN \"a\" DROP DEFAULT, {cast}");
        assert_eq!(parts(&both), boolean);
        assert_eq!(
            parts("ALTER TABLE \"t\" ALTER COLUMN \"a\" SET DEFAULT FALSE"),
            [Part::Default(place().0, place().1)]
        );
        assert_eq!(
            parts("ALTER TABLE \"t\" ALTER COLUMN \"a\" SET DEFAULT nextval('t_a_seq')"),
            [Part::NextValue(place().0, place().1)]
        );
    }

    #[test]
    fn keys_of_each_kind() {
        let key = |statement: &str| match parts(statement).remove(0) {
            Part::Key(table, key) => {
                let columns = key.parts.into_iter().map(|part| match part.of {
                    KeyPartOf::Column(name) => name,
                    KeyPartOf::Expression(_) => panic!("{statement}"),
                });
                (
                    table,
                    key.kind,
                    key.name,
                    columns.collect::<Vec<_>>().join(","),
                )
            }
            other => panic!("{statement}: {other:?}"),
        };
        let expected = |kind, name: Option<&str>, columns: &str| {
            (
                "t".to_owned(),
                kind,
                name.map(str::to_owned),
                columns.to_owned(),
            )
        };
        assert_eq!(
            key("CREATE INDEX \"I on x\" ON t (\"a\",\"B\")"),
            expected(KeyKind::Plain, Some("I on x"), "a,B")
        );
        assert_eq!(
            key("CREATE UNIQUE INDEX \"u\" ON t (\"a\")"),
            expected(KeyKind::Unique, Some("u"), "a")
        );
        assert_eq!(
            key("CREATE INDEX ON \"t\" (\"a\")"),
            expected(KeyKind::Plain, None, "a")
        );
        assert_eq!(
            key("CREATE INDEX ON t USING gin(to_tsvector('english', a || ' ' || b))"),
            expected(KeyKind::Fulltext, None, "a,b")
        );
        let found = parts(
            "ALTER TABLE \"t\" ADD CONSTRAINT \"f\" FOREIGN KEY (\"a\") REFERENCES \"u\" (\"id\") \
             ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
        );
        let foreign_key = ForeignKeyDefinition {
            name: Some("f".to_owned()),
            columns: vec!["a".to_owned()],
            database: None,
            references: "u".to_owned(),
            referenced_columns: vec!["id".to_owned()],
            on_delete: Some("CASCADE".to_owned()),
            on_update: None,
        };
        assert_eq!(found, [Part::ForeignKey("t".to_owned(), foreign_key)]);
    }

    #[test]
    fn nothing_else_is_taken() {
        for statement in [
            "SET standard_conforming_strings=on",
            "SET client_encoding='latin1'",
            "SET ROLE postgres",
            "DROP DATABASE x",
            "DROP TABLE IF EXISTS a, b",
            "DROP TABLE IF EXISTS a CASCADE",
            "START TRANSACTION READ ONLY",
            "COMMIT AND CHAIN",
            "ROLLBACK",
            "SELECT setval('s', evil())",
            "SELECT setval('s', max(id)) FROM t WHERE evil()",
            "SELECT setval('s', max(evil(id))) FROM t",
            "SELECT evil()",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" TYPE text USING evil(a)",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" TYPE boolean USING CAST(evil(\"a\") as boolean)",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" TYPE boolean USING CAST(\"b\" as boolean)",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" TYPE boolean USING CAST(\"a\" as boolean) OR evil()",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" DROP DEFAULT, DROP COLUMN \"b\"",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" SET DEFAULT evil()",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" SET DEFAULT nextval(evil())",
            "ALTER TABLE \"t\" DROP COLUMN \"a\"",
            "ALTER TABLE \"t\" ADD CONSTRAINT \"c\" CHECK (evil())",
            "ALTER TABLE \"t\" ADD CONSTRAINT \"f\" FOREIGN KEY (a) REFERENCES u (b) NOT ENFORCED evil",
            "CREATE SEQUENCE s OWNED BY t.a",
            "CREATE INDEX i ON t (evil(a))",
            "CREATE INDEX i ON t (a) WHERE evil()",
            "CREATE INDEX i ON t USING gin(to_tsvector('english', evil(a)))",
            "CREATE UNIQUE INDEX i ON t USING gin(to_tsvector('english', a))",
            "CREATE FUNCTION f() RETURNS int AS 'x'",
            "CREATE VIEW v AS SELECT 1",
            "CREATE EXTENSION x",
            "INSERT INTO \"t\" SELECT 1",
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "DO 'x'",
            "COPY t FROM PROGRAM 'id'",
        ] {
            assert!(read(statement).is_err(), "{statement}");
        }
    }
}
