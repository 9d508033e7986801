//! The syntax of PostgreSQL, as far as it decides where statements end (manual, 4.1, "Lexical Structure").
//! Strings are standard ones. The body of an SQL function has semicolons of its own.

use crate::error::Result;
use crate::migrate::dialect::Piece;
use crate::migrate::lexer::{Escapes, LexicalRules};
use crate::migrate::split::{self, Blocks};

pub(super) const RULES: LexicalRules = LexicalRules {
    server: "PostgreSQL",
    client: "psql",
    string_quotes: b"'",
    escapes: Escapes::InEStrings,
    dollar_quotes: true,
    name_quote: b'"',
    name_quotes: "double quotes",
    words_begin_with_digits: false,
    dashes_need_blank: false,
    hash_comments: false,
    nested_comments: true,
    executable_comments: false,
    line_ends: b"\n\r",
};

/// The pieces of `text` in order. A comment within a statement precedes it.
pub(super) fn split(text: &str) -> Result<Vec<Piece<'_>>> {
    split::split::<Bodies>(text, &RULES)
}

/// Blocks of BEGIN ATOMIC and of CASE within them (manual, CREATE FUNCTION).
#[derive(Default)]
struct Bodies {
    /// The first words. They tell whether the statement creates a function.
    head: Vec<String>,
    blocks: usize,
}

impl Bodies {
    fn makes_routine(&self) -> bool {
        let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
        let what = match head.as_slice() {
            ["create", "or", "replace", what, ..] | ["create", what, ..] => *what,
            _ => "",
        };
        matches!(what, "function" | "procedure")
    }
}

impl Blocks for Bodies {
    fn word(&mut self, word: &str, in_parentheses: bool) {
        if self.head.len() < 4 {
            self.head.push(word.to_ascii_lowercase());
        }
        if in_parentheses || !self.makes_routine() {
            return;
        }
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        if is("begin") || self.blocks > 0 && is("case") {
            self.blocks += 1;
        } else if is("end") {
            self.blocks = self.blocks.saturating_sub(1);
        }
    }

    fn open(&self) -> usize {
        self.blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::contract::SplitContract;

    /// Texts and their statements; none if the text is an error.
    const CASES: &[(&str, Option<&[&str]>)] = &[
        (" ;; \n; -- nothing\n /* at ; all */ ;", Some(&[])),
        (r"SELECT '\'; b", Some(&[r"SELECT '\'", "b"])),
        (r"SELECT E'\';'; b", Some(&[r"SELECT E'\';'", "b"])),
        (r"SELECT e'\\'; b", Some(&[r"SELECT e'\\'", "b"])),
        (r"SELECT nameE'\'; b", Some(&[r"SELECT nameE'\'", "b"])),
        (
            r"SELECT U&'\0041;', B'1', x'f'; b",
            Some(&[r"SELECT U&'\0041;', B'1', x'f'", "b"]),
        ),
        (
            "SELECT E'a'\n'\\';'; b",
            Some(&["SELECT E'a'\n'\\';'", "b"]),
        ),
        (
            "SELECT E'a' -- c'\n '\\';'; b",
            Some(&["SELECT E'a' -- c'\n '\\';'", "b"]),
        ),
        ("SELECT E'a' '\\'; b", Some(&["SELECT E'a' '\\'", "b"])),
        (
            "SELECT \"a;\"\"b;\"; c",
            Some(&["SELECT \"a;\"\"b;\"", "c"]),
        ),
        ("SELECT \"'\"; c", Some(&["SELECT \"'\"", "c"])),
        ("SELECT $$;'$$; b", Some(&["SELECT $$;'$$", "b"])),
        (
            "DO $a$ x; $$ ; $b$ ; $a$; b",
            Some(&["DO $a$ x; $$ ; $b$ ; $a$", "b"]),
        ),
        ("DO $é_1$;$é$;$é_1$; b", Some(&["DO $é_1$;$é$;$é_1$", "b"])),
        ("SELECT a$b$; c$b$", Some(&["SELECT a$b$", "c$b$"])),
        ("SELECT $1; $2", Some(&["SELECT $1", "$2"])),
        ("SELECT $1$; $2$", Some(&["SELECT $1$", "$2$"])),
        ("-- a; b\nc; d -- e;", Some(&["c", "d"])),
        ("a -- ';\r; b", Some(&["a", "b"])),
        ("/* a; /* b; */ ' */ c; d", Some(&["c", "d"])),
        (
            "SELECT 1 -- ;\n + 2; b",
            Some(&["SELECT 1 -- ;\n + 2", "b"]),
        ),
        ("SELECT 2*/* ; */3; b", Some(&["SELECT 2*/* ; */3", "b"])),
        ("SELECT 2--1;\n; b", Some(&["SELECT 2", "b"])),
        (
            "CREATE RULE r AS ON UPDATE TO t DO (a; b); c",
            Some(&["CREATE RULE r AS ON UPDATE TO t DO (a; b)", "c"]),
        ),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN 1 END; END; b",
            Some(&[
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN 1 END; END",
                "b",
            ]),
        ),
        (
            "create or replace procedure p() begin atomic; end; b",
            Some(&["create or replace procedure p() begin atomic; end", "b"]),
        ),
        (
            "CREATE /* c */ FUNCTION f(\"begin\" int) AS $$ begin; $$; b",
            Some(&[
                "CREATE /* c */ FUNCTION f(\"begin\" int) AS $$ begin; $$",
                "b",
            ]),
        ),
        (
            "CREATE TABLE t (\"begin\" int); begin; b",
            Some(&["CREATE TABLE t (\"begin\" int)", "begin", "b"]),
        ),
        (
            "SELECT case when a then b end; c",
            Some(&["SELECT case when a then b end", "c"]),
        ),
        (
            "SELECT 1e5, 0x1f, .5, 1_000; b",
            Some(&["SELECT 1e5, 0x1f, .5, 1_000", "b"]),
        ),
        ("SELECT 'a''", None),
        (r"SELECT E'\'", None),
        (r"SELECT E'\", None),
        ("SELECT \"a", None),
        ("DO $$ a; $", None),
        ("DO $a$ a; $A$", None),
        ("/* /* */", None),
        ("CREATE FUNCTION f() BEGIN ATOMIC a; b;", None),
        ("\\i other.sql", None),
        ("a; \\connect x", None),
    ];

    #[test]
    fn the_contract_of_splitting_is_kept() {
        let contract = SplitContract {
            split,
            cases: CASES,
            parts: &[
                "'",
                "''",
                "\"",
                "$$",
                "$a$",
                "a",
                "E'",
                "\\",
                "--",
                "\n",
                "/*",
                "*/",
                "(",
                ")",
                ";",
                " ",
                "begin",
                "end",
                "create function ",
                "é",
            ],
        };
        contract.check();
    }

    #[test]
    fn errors_have_lines() {
        let error = split("a;\nb;\n  $x$ ;").unwrap_err().to_string();
        assert_eq!(error, "line 3: a text in $x$ has no end");
    }
}
