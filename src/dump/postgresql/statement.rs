//! Classifies the statements of a PostgreSQL dump, as pg_dump 9.1 to 18 and `convert` write them.

use super::alter::alter;
use super::comment::comment;
use super::convert_notation::is_type_of_sequence;
use super::definition::Definition;
use super::dump_statement::{AllTokens, BEGINNING_TOKENS, DumpStatement};
use super::enum_type::create_enum;
use super::index::create_index;
use super::lexer::{Token, first_tokens, tokens};
use super::on_update;
use super::parser::Parser;
use super::row_heads::copy;
use super::sequence::{create_sequence, select};
use super::table::create_table;
use crate::error::Result;

/// Statements that begin with these words change no row of a table in the dump.
const WITHOUT_EFFECT: [&str; 14] = [
    "set", "drop", "grant", "revoke", "begin", "start", "commit", "lock", "analyze", "vacuum",
    "security", "reset", "refresh", "comment",
];

/// What CREATE can define that is not imported: the keyword, and its name in reports.
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

/// Classifies `statement`; `escapes` tells whether backslashes escape in ordinary strings.
pub(super) fn classify(statement: &str, escapes: bool) -> Result<DumpStatement> {
    let first = first_tokens(statement, BEGINNING_TOKENS);
    let begins = |words: &[&str]| Parser::new(&first).take(words);
    let whole = || tokens(statement, escapes);
    if begins(&["create", "function"])
        && let Some((name, columns)) = on_update::function(statement, escapes)
    {
        return Ok(DumpStatement::SettingFunction(name, columns));
    }
    if begins(&["create", "trigger"])
        && let Some(trigger) = on_update::trigger(statement, escapes)
    {
        return Ok(DumpStatement::Trigger(trigger));
    }
    Ok(match first.first() {
        None => DumpStatement::WithoutEffect,
        Some(Token::Word(word)) => match word.as_str() {
            "set" => set(&first),
            "create" => return create(&first, &whole),
            "alter" => return alter(&first, &whole),
            "select" => return select(&first, &whole),
            "do" if is_type_of_sequence(statement, escapes)? => DumpStatement::WithoutEffect,
            "do" => match on_update::in_do(statement, escapes) {
                Some(trigger) => DumpStatement::Definition(trigger),
                None => DumpStatement::Unknown,
            },
            "copy" => return copy(&whole()?),
            "drop" if begins(&["drop", "table"]) && !begins(&["drop", "table", "if"]) => {
                let mut parser = Parser::new(&first);
                parser.take(&["drop", "table"]);
                parser
                    .qualified()
                    .map_or(DumpStatement::WithoutEffect, |table| {
                        DumpStatement::Definition(Definition::Dropped { table })
                    })
            }
            "comment" if !begins(&["comment", "on", "extension"]) => return comment(&whole()?),
            word if WITHOUT_EFFECT.contains(&word) => DumpStatement::WithoutEffect,
            _ => DumpStatement::Unknown,
        },
        Some(_) => DumpStatement::Unknown,
    })
}

fn set(first: &[Token]) -> DumpStatement {
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
        "client_encoding" => DumpStatement::Encoding(value),
        "standard_conforming_strings" => {
            DumpStatement::Escapes(["off", "false", "no", "0"].contains(&value.as_str()))
        }
        _ => DumpStatement::WithoutEffect,
    }
}

fn create(first: &[Token], whole: AllTokens<'_>) -> Result<DumpStatement> {
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
            return Ok(DumpStatement::Unknown);
        }
        return Ok(DumpStatement::Definition(Definition::Table(create_table(
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
        return Ok(DumpStatement::WithoutEffect);
    }
    if parser.is("type")
        && let Some(enum_type) = create_enum(&whole()?)
    {
        return Ok(DumpStatement::Definition(enum_type));
    }
    let kind = LEFT_OUT.iter().find(|(word, _)| parser.take(&[*word]));
    Ok(match kind {
        Some((_, kind)) => {
            parser.take(&["if", "not", "exists"]);
            // Every database has it; only older versions of pg_dump write it.
            if parser.is("plpgsql") {
                return Ok(DumpStatement::WithoutEffect);
            }
            DumpStatement::LeftOut(kind, parser.qualified().unwrap_or_default())
        }
        None => DumpStatement::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::events::InsertTarget;
    use crate::dump::postgresql::definition::ConstraintKind;
    use crate::dump::postgresql::row_heads::{insert_head, is_end_of_insert};

    fn definition(statement: &str) -> Definition {
        match classify(statement, false) {
            Ok(DumpStatement::Definition(definition)) => definition,
            other => panic!("{statement}: {other:?}"),
        }
    }

    #[test]
    fn a_string_may_be_longer_where_backslashes_escape() {
        // Found by fuzzing: sixteen tokens or more without escapes, two behind the name with them.
        let statement = r"ALTER TABLE t ADD '\' a b c d e f g h i j k l m n'";
        for escapes in [false, true] {
            let class = classify(statement, escapes);
            assert!(
                !matches!(class, Ok(DumpStatement::Definition(_))),
                "{class:?}"
            );
        }
        let default = r"ALTER TABLE t ALTER a SET DEFAULT '\' a b c d e f g h i'";
        let class = classify(default, true);
        assert!(
            matches!(
                class,
                Ok(DumpStatement::Definition(Definition::Default { .. }))
            ),
            "{class:?}"
        );
    }

    #[test]
    fn what_a_column_loses() {
        let lost = |statement: &str| match classify(statement, false) {
            Ok(DumpStatement::Definition(definition)) => format!("{definition:?}"),
            other => format!("{other:?}"),
        };
        // pg_dump --clean writes the first one before the table.
        for (what, name) in [("DEFAULT", "NoDefault"), ("NOT NULL", "Nullable")] {
            let statement = format!("ALTER TABLE public.t ALTER COLUMN id DROP {what}");
            let expected = format!("{name} {{ table: \"t\", column: \"id\" }}");
            assert_eq!(lost(&statement), expected);
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
            assert_eq!(found, DumpStatement::WithoutEffect, "{statement}");
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
            let expected = DumpStatement::LeftOut(kind, name.to_owned());
            assert_eq!(classify(statement, false).unwrap(), expected, "{statement}");
        }
    }

    #[test]
    fn columns_that_must_not_be_null() {
        let not_null = |columns: &[&str]| {
            DumpStatement::Definition(Definition::NotNull {
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
        assert_eq!(found(&other), DumpStatement::Unknown);
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
            DumpStatement::Encoding("utf8".to_owned())
        );
        assert_eq!(
            found("SET standard_conforming_strings = off"),
            DumpStatement::Escapes(true)
        );
        assert_eq!(
            found("SET SESSION standard_conforming_strings TO 'on'"),
            DumpStatement::Escapes(false)
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
            database: None,
            duplicates: crate::dump::events::Duplicates::Refused,
            table: "T x".to_owned(),
            columns: columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            quoting: crate::dump::quoting::Quoting::default(),
        };
        let copied = classify("COPY public.\"T x\" (a, \"b,\") FROM stdin", false).unwrap();
        assert_eq!(copied, DumpStatement::Copy(target(Some(&["a", "b,"]))));
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
