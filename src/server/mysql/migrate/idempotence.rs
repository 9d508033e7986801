//! Whether a DDL statement is idempotent: a repetition fails, or changes nothing. Only then may it run again when
//! the outcome of the first attempt is unknown. An index or a constraint without a name would be created twice,
//! under two names (MySQL manual, 15.1.9 "ALTER TABLE Statement"), and two swapped tables look as before.

use super::syntax::RULES;
use crate::migrate::lexer;
use crate::migrate::token::TokenKind;

/// What the repetition of a part of an ALTER TABLE does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    Fails,
    Nothing,
    Again,
}

/// A part of an ALTER TABLE, and the names it refers to.
struct Effect<'a> {
    second: Second,
    names: Vec<&'a str>,
}

/// Whether the DDL statement `statement` may run twice without taking effect twice. Unknown statements may not.
pub(super) fn is_idempotent(statement: &str) -> bool {
    let tokens = tokens(statement);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    match tokens.as_slice() {
        ["create", "or", "replace", "table" | "sequence", ..] | ["alter", "sequence", ..] => false,
        ["rename", "table" | "tables", pairs @ ..] => !pairs.contains(&","),
        ["rename", ..] => false,
        ["alter", rest @ ..] => match behind_table(rest) {
            Some(parts) => alters_once(parts),
            None => matches!(
                rest.first(),
                Some(&("database" | "schema" | "view" | "function" | "procedure" | "event"))
            ),
        },
        _ => true,
    }
}

/// The table of an ALTER TABLE, as written.
pub(super) fn altered_table(statement: &str) -> Option<String> {
    let tokens = tokens(statement);
    if tokens.first()? != "alter" {
        return None;
    }
    let at = tokens.iter().take(4).position(|token| token == "table")?;
    let name: Vec<&str> = tokens[at + 1..].iter().map(String::as_str).collect();
    let name = match name.as_slice() {
        ["if", "exists", name @ ..] | name => name,
    };
    match name {
        [database, ".", table, ..] => Some(format!("{database}.{table}")),
        [table, ..] => Some((*table).to_owned()),
        [] => None,
    }
}

/// The tokens outside of parentheses, in lower case. Each pair of parentheses is `()`.
fn tokens(statement: &str) -> Vec<String> {
    let (mut tokens, mut depth) = (Vec::new(), 0_usize);
    for token in lexer::tokens(statement, &RULES) {
        let text = &statement[token.start..token.end];
        match token.kind {
            TokenKind::Open => {
                if depth == 0 {
                    tokens.push("()".to_owned());
                }
                depth += 1;
            }
            TokenKind::Close => depth = depth.saturating_sub(1),
            // The marks of an executable comment.
            TokenKind::Other if text.len() > 1 => {}
            TokenKind::Word(_) | TokenKind::Quoted | TokenKind::Other if depth == 0 => {
                tokens.push(text.to_lowercase());
            }
            _ => {}
        }
    }
    tokens
}

/// The tokens after the name of the table, if ALTER and `rest` are an ALTER TABLE.
fn behind_table<'a, 's>(rest: &'a [&'s str]) -> Option<&'a [&'s str]> {
    let at = rest.iter().take(3).position(|token| *token == "table")?;
    let rest = match &rest[at + 1..] {
        ["if", "exists", rest @ ..] | rest => rest,
    };
    let rest = match rest {
        [_, ".", _, rest @ ..] | [_, rest @ ..] => rest,
        [] => rest,
    };
    Some(match rest {
        ["nowait", rest @ ..] | ["wait", _, rest @ ..] => rest,
        rest => rest,
    })
}

/// Whether the repetition of an ALTER TABLE with these parts fails or changes nothing. The statement is atomic:
/// one part that fails is enough. Parts that refer to the same name may undo each other.
fn alters_once(parts: &[&str]) -> bool {
    let effects: Vec<Effect<'_>> = parts.split(|token| *token == ",").map(effect).collect();
    let all: Vec<&str> = effects
        .iter()
        .flat_map(|effect| &effect.names)
        .copied()
        .collect();
    let is_alone = |effect: &Effect<'_>| {
        let mut names = effect.names.iter();
        names.all(|name| all.iter().filter(|other| *other == name).count() == 1)
    };
    let fails = |effect: &Effect<'_>| effect.second == Second::Fails && is_alone(effect);
    let is_nothing = |effect: &Effect<'_>| effect.second == Second::Nothing && is_alone(effect);
    effects.iter().any(fails) || effects.iter().all(is_nothing)
}

fn effect<'a>(part: &[&'a str]) -> Effect<'a> {
    use Second::{Again, Fails, Nothing};
    let of = |second, names: &[&'a str]| Effect {
        second,
        names: names.iter().map(|name| name.trim_matches('`')).collect(),
    };
    if part.iter().any(|token| token.starts_with("partition")) {
        return of(Again, &[]);
    }
    match part {
        ["add", "constraint", rest @ ..] => constraint(rest),
        ["add", rest @ ..] => added(rest),
        ["drop", "primary", "key"] => of(Fails, &["primary"]),
        [
            "drop",
            "column" | "index" | "key" | "constraint" | "check",
            rest @ ..,
        ]
        | ["drop", "foreign", "key", rest @ ..]
        | ["drop", rest @ ..] => match rest {
            ["if", "exists", name, ..] => of(Nothing, &[*name]),
            [name, ..] => of(Fails, &[*name]),
            [] => of(Again, &[]),
        },
        // The indexes and constraints that these add have no names.
        ["modify" | "change", rest @ ..]
            if rest
                .iter()
                .any(|token| matches!(*token, "unique" | "key" | "references" | "check")) =>
        {
            of(Again, &[])
        }
        ["modify", "column", name, ..] | ["modify", name, ..] => of(Nothing, &[*name]),
        ["change", "column", old, new, ..] | ["change", old, new, ..] => {
            if old == new {
                return of(Nothing, &[*old]);
            }
            of(Fails, &[*old, *new])
        }
        ["rename", "column" | "index" | "key", old, "to", new] => of(Fails, &[*old, *new]),
        ["rename", ..] => of(Fails, &[]),
        [
            "alter" | "algorithm" | "auto_increment" | "character" | "charset" | "collate"
            | "comment" | "convert" | "default" | "disable" | "enable" | "engine" | "force"
            | "lock" | "order" | "row_format" | "stats_persistent",
            ..,
        ] => of(Nothing, &[]),
        _ => of(Again, &[]),
    }
}

/// The effect of the tokens after ADD CONSTRAINT.
fn constraint<'a>(rest: &[&'a str]) -> Effect<'a> {
    match rest {
        ["primary" | "unique" | "foreign" | "check", ..] => added(rest),
        ["if", "not", "exists", name, ..] => named(Second::Nothing, name),
        [name, ..] => named(Second::Fails, name),
        [] => unnamed(),
    }
}

/// The effect of the tokens after ADD.
fn added<'a>(rest: &[&'a str]) -> Effect<'a> {
    match rest {
        ["primary", ..] => named(Second::Fails, "primary"),
        [
            "unique" | "fulltext" | "spatial",
            "index" | "key",
            rest @ ..,
        ] => index(rest),
        [
            "index" | "key" | "unique" | "fulltext" | "spatial",
            rest @ ..,
        ] => index(rest),
        ["check" | "foreign" | "system" | "period" | "()", ..] | [] => unnamed(),
        ["column", rest @ ..] | rest => match rest {
            ["if", "not", "exists", name, ..] => named(Second::Nothing, name),
            ["()", ..] | [] => unnamed(),
            [name, ..] => named(Second::Fails, name),
        },
    }
}

/// The effect of the tokens after the kind of an index.
fn index<'a>(rest: &[&'a str]) -> Effect<'a> {
    match rest {
        ["()" | "using", ..] | ["if", "not", "exists", "()" | "using", ..] | [] => unnamed(),
        ["if", "not", "exists", name, ..] => named(Second::Nothing, name),
        [name, ..] => named(Second::Fails, name),
    }
}

fn named(second: Second, name: &str) -> Effect<'_> {
    let names = vec![name.trim_matches('`')];
    Effect { second, names }
}

fn unnamed<'a>() -> Effect<'a> {
    Effect {
        second: Second::Again,
        names: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_idempotent() {
        for statement in [
            "CREATE TABLE t (a int, KEY (a))",
            "CREATE INDEX i ON t (a)",
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            "DROP TABLE t, u",
            "RENAME TABLE a TO b",
            "ALTER TABLE t ADD a int",
            "ALTER TABLE t ADD COLUMN a int UNIQUE, ADD INDEX (b)",
            "ALTER TABLE t ADD KEY `i` (a), ADD FOREIGN KEY (a) REFERENCES u (a)",
            "ALTER IGNORE TABLE d.t WAIT 5 ADD UNIQUE INDEX i USING BTREE (a)",
            "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (a)",
            "ALTER TABLE t ADD PRIMARY KEY (a)",
            "ALTER TABLE t DROP a, DROP INDEX i, DROP FOREIGN KEY f",
            "ALTER TABLE t MODIFY a bigint NOT NULL AFTER b, ALTER c SET DEFAULT 1",
            "ALTER TABLE t CHANGE a a bigint, CHANGE b c decimal(5, 2)",
            "ALTER TABLE t RENAME COLUMN a TO b",
            "ALTER TABLE t RENAME TO u",
            "ALTER TABLE t ENGINE=InnoDB ROW_FORMAT=DYNAMIC, COMMENT='a, b'",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int, DROP COLUMN IF EXISTS b",
        ] {
            assert!(is_idempotent(statement), "{statement}");
        }
        for statement in [
            "ALTER TABLE t ADD INDEX (a)",
            "alter table `t` add unique (a)",
            "ALTER TABLE t ADD KEY USING BTREE (a)",
            "ALTER TABLE t ADD INDEX IF NOT EXISTS (a)",
            "ALTER TABLE t /*!50100 ADD FULLTEXT KEY (a) */",
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (a)",
            "ALTER TABLE t ADD CONSTRAINT CHECK (a > 0)",
            "ALTER TABLE t ADD CHECK (a > 0), MODIFY b int",
            "ALTER TABLE t MODIFY a int UNIQUE",
            "ALTER TABLE t CHANGE a b int, CHANGE b a int",
            "ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a",
            "ALTER TABLE t DROP a, ADD a int",
            "ALTER TABLE t DROP COLUMN IF EXISTS `a`, ADD COLUMN IF NOT EXISTS A int",
            "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u",
            "ALTER TABLE t TRUNCATE PARTITION p",
            "ALTER TABLE t ENGINE=InnoDB PARTITION BY HASH (a)",
            "ALTER SEQUENCE s RESTART",
            "RENAME TABLE a TO c, b TO a, c TO b",
            "CREATE OR REPLACE TABLE t (a int)",
        ] {
            assert!(!is_idempotent(statement), "{statement}");
        }
    }

    #[test]
    fn the_table_that_is_altered() {
        for (statement, table) in [
            ("ALTER TABLE t ADD INDEX (a)", Some("t")),
            (
                "ALTER ONLINE TABLE IF EXISTS `d`.T ADD (a int)",
                Some("`d`.t"),
            ),
            ("ALTER VIEW v AS SELECT 1", None),
            ("RENAME TABLE a TO b", None),
        ] {
            assert_eq!(altered_table(statement).as_deref(), table, "{statement}");
        }
    }
}
