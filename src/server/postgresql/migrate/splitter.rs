//! Where PostgreSQL's statements end: what is in the body of an SQL function has semicolons of its own.

use super::scanner::Scanner;
use crate::error::Result;
use crate::migrate::dialect::Piece;
use crate::migrate::element;
use crate::migrate::split::{self, Blocks};

/// The pieces of `text`, in order; a comment within a statement comes before it.
pub(crate) fn split(text: &str) -> Result<Vec<Piece<'_>>> {
    let mut scanner = Scanner::new(text);
    split::split::<Bodies>(text, || scanner.next())
}

/// The keywords and names in `statement` that stand in no quotes, in lower case.
pub(super) fn words(statement: &str) -> Vec<String> {
    let mut scanner = Scanner::new(statement);
    element::words(|| scanner.next())
}

/// Blocks of BEGIN ATOMIC and of CASE within them (manual, CREATE FUNCTION).
#[derive(Default)]
struct Bodies {
    /// The first words, as far as they tell whether it makes a function.
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

    /// Texts and the statements in them; none where the text is an error.
    const CASES: &[(&str, Option<&[&str]>)] = &[
        ("", Some(&[])),
        (" ;; \n; -- nothing\n /* at ; all */ ;", Some(&[])),
        ("SELECT 1", Some(&["SELECT 1"])),
        ("a; b ;\nc\n", Some(&["a", "b", "c"])),
        ("SELECT ';'; b", Some(&["SELECT ';'", "b"])),
        ("SELECT 'it''s;'; b", Some(&["SELECT 'it''s;'", "b"])),
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
        ("SELECT 1); b", Some(&["SELECT 1)", "b"])),
        ("日本 'ü;' ; b", Some(&["日本 'ü;'", "b"])),
        (
            "SELECT 1e5, 0x1f, .5, 1_000; b",
            Some(&["SELECT 1e5, 0x1f, .5, 1_000", "b"]),
        ),
        ("SELECT '", None),
        ("SELECT 'a''", None),
        (r"SELECT E'\'", None),
        (r"SELECT E'\", None),
        ("SELECT \"a", None),
        ("DO $$ a; $", None),
        ("DO $a$ a; $A$", None),
        ("/* /* */", None),
        ("SELECT (1; b", None),
        ("CREATE FUNCTION f() BEGIN ATOMIC a; b;", None),
        ("\\i other.sql", None),
        ("a; \\connect x", None),
    ];

    fn statements(text: &str) -> Result<Vec<&str>> {
        let pieces = split(text)?.into_iter();
        let statements = pieces.filter_map(|piece| match piece {
            Piece::Statement { text, .. } => Some(text),
            Piece::Comment { .. } => None,
        });
        Ok(statements.collect())
    }

    #[test]
    fn each_rule() {
        for (text, expected) in CASES {
            let found = statements(text);
            match expected {
                Some(expected) => assert_eq!(&found.unwrap(), expected, "{text}"),
                None => assert!(found.is_err(), "{text}"),
            }
        }
    }

    /// Whatever follows, what has ended with a semicolon has ended.
    #[test]
    fn cut_at_every_byte() {
        for (text, _) in CASES {
            for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                let Ok(part) = statements(&text[..cut]) else {
                    continue;
                };
                let Ok(whole) = statements(text) else {
                    continue;
                };
                // The last one may go on behind the cut.
                let ended = part.len().saturating_sub(1);
                assert_eq!(part[..ended], whole[..ended], "{text} cut at {cut}");
            }
        }
    }

    /// Any two texts behind one another have the statements of both.
    #[test]
    fn one_behind_the_other() {
        let whole = CASES
            .iter()
            .filter_map(|(text, found)| found.map(|found| (text, found)));
        for (one, of_one) in whole.clone() {
            for (other, of_other) in whole.clone() {
                let both = format!("{one}\n;{other}");
                let expected: Vec<&str> = of_one.iter().chain(of_other).copied().collect();
                assert_eq!(statements(&both).unwrap(), expected, "{both}");
            }
        }
    }

    /// Texts of the characters that mean something, in any order: nothing is lost, and each statement
    /// is one.
    #[test]
    fn of_random_texts_each_statement_is_one() {
        const PARTS: [&str; 20] = [
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
        ];
        let mut random = fastrand::Rng::with_seed(7);
        let mut split_well = 0;
        for _ in 0..50_000 {
            let count = random.usize(1..12);
            let text: String = (0..count)
                .map(|_| *random.choice(&PARTS).unwrap())
                .collect();
            let Ok(found) = statements(&text) else {
                continue;
            };
            split_well += 1;
            for statement in found {
                assert!(text.contains(statement));
                assert_eq!(statements(statement).unwrap(), [statement], "of {text}");
            }
        }
        assert!(split_well > 5_000, "{split_well}");
    }

    #[test]
    fn lines_and_comments() {
        let text = "-- one\n\nSELECT\n 'a\nb' -- two\n; -- three\n/* \n */ b";
        let comment = |line, text, inside| Piece::Comment { line, text, inside };
        let statement = |line, text| Piece::Statement { line, text };
        let expected = [
            comment(1, " one", false),
            comment(5, " two", true),
            statement(3, "SELECT\n 'a\nb'"),
            comment(6, " three", false),
            statement(8, "b"),
        ];
        assert_eq!(split(text).unwrap(), expected);
        let error = statements("a;\nb;\n  $x$ ;").unwrap_err().to_string();
        assert_eq!(error, "line 3: a text in $x$ has no end");
    }

    #[test]
    fn words_stand_in_no_quotes() {
        let found = words("/* a */ Copy \"b\" (c) FROM 'd' -- e\n stdin");
        assert_eq!(found, ["copy", "c", "from", "stdin"]);
    }
}
