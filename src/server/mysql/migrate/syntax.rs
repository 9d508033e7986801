//! The syntax of MySQL and MariaDB, as far as it decides where statements end (manual, 11 "Language
//! Structure"). Backslashes escape. The client `mysql` needs `DELIMITER` for the bodies of triggers and
//! routines; here they end where the server ends them: a body of several statements is a block,
//! `BEGIN … END`.

use crate::error::Result;
use crate::migrate::dialect::Piece;
use crate::migrate::lexer::{Escapes, LexicalRules, tokens};
use crate::migrate::split::{self, Blocks};
use crate::migrate::token::TokenKind;

pub(super) const RULES: LexicalRules = LexicalRules {
    server: "MySQL",
    client: "the client mysql",
    string_quotes: b"'\"",
    escapes: Escapes::Always,
    dollar_quotes: false,
    name_quote: b'`',
    name_quotes: "backticks",
    words_begin_with_digits: true,
    dashes_need_blank: true,
    hash_comments: true,
    nested_comments: false,
    executable_comments: true,
    line_ends: b"\n",
};

/// The pieces of `text` in order. A comment within a statement precedes it.
pub(super) fn split(text: &str) -> Result<Vec<Piece<'_>>> {
    split::split::<Bodies>(text, &RULES)
}

/// Whether `statement` contains semicolons, as a body of several statements does.
pub(super) fn is_compound(statement: &str) -> bool {
    tokens(statement, &RULES).any(|token| token.kind == TokenKind::Semicolon)
}

/// The types of objects that CREATE and ALTER define, with a body and without. The first of these words in a
/// definition tells the type.
const WITH_BODY: [&str; 4] = ["event", "function", "procedure", "trigger"];
const WITHOUT_BODY: [&str; 14] = [
    "database",
    "fulltext",
    "index",
    "role",
    "schema",
    "sequence",
    "server",
    "spatial",
    "table",
    "tablespace",
    "temporary",
    "unique",
    "user",
    "view",
];

/// Whether a definition has a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Body {
    /// It has none, or it is no definition.
    #[default]
    No,
    /// The type of the object is still to come.
    Unknown,
    Yes,
}

/// Blocks of BEGIN and of CASE within a body.
#[derive(Default)]
struct Bodies {
    has_words: bool,
    body: Body,
    blocks: usize,
    /// Whether the last token was END. The END of an IF or a loop ends no counted block.
    after_end: bool,
}

impl Bodies {
    fn word_of_body(&mut self, word: &str) {
        let after_end = std::mem::replace(&mut self.after_end, word == "end");
        match word {
            "end" => self.blocks = self.blocks.saturating_sub(1),
            "if" | "loop" | "repeat" | "while" if after_end => self.blocks += 1,
            "begin" => self.blocks += 1,
            // Outside of a block CASE is an expression that contains no semicolon.
            "case" if !after_end && self.blocks > 0 => self.blocks += 1,
            _ => {}
        }
    }
}

impl Blocks for Bodies {
    fn word(&mut self, word: &str, _: bool) {
        let word = word.to_ascii_lowercase();
        let word = word.as_str();
        if !std::mem::replace(&mut self.has_words, true) && matches!(word, "create" | "alter") {
            self.body = Body::Unknown;
        } else if self.body == Body::Unknown {
            if WITH_BODY.contains(&word) {
                self.body = Body::Yes;
            } else if WITHOUT_BODY.contains(&word) {
                self.body = Body::No;
            }
        } else if self.body == Body::Yes {
            self.word_of_body(word);
        }
    }

    fn other(&mut self) {
        self.after_end = false;
    }

    fn open(&self) -> usize {
        self.blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::contract::SplitContract;

    const TRIGGER: &str = "CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW BEGIN \
        IF NEW.a IS NULL THEN SET NEW.a = CASE WHEN 1 THEN 2 END; END IF; \
        CASE NEW.a WHEN 1 THEN SET @x = 1; ELSE BEGIN END; END CASE; \
        w: WHILE @x < 3 DO SET @x = @x + 1; END WHILE w; \
        REPEAT SET @x = REPEAT('a', 2); UNTIL 1 END REPEAT; LOOP LEAVE w; END LOOP; END";
    const PROCEDURE: &str =
        "create definer=`root`@localhost procedure p(a int) begin select 1; end";

    /// Texts and their statements; none if the text is an error.
    const CASES: &[(&str, Option<&[&str]>)] = &[
        (" ;; \n; -- nothing\n /* at ; all */ ; # ;", Some(&[])),
        (r"SELECT '\';'; b", Some(&[r"SELECT '\';'", "b"])),
        (r"SELECT '\\'; b", Some(&[r"SELECT '\\'", "b"])),
        (r#"SELECT "\";'"; b"#, Some(&[r#"SELECT "\";'""#, "b"])),
        (r#"SELECT "a"";"; b"#, Some(&[r#"SELECT "a"";""#, "b"])),
        (r"SELECT `\`; b", Some(&[r"SELECT `\`", "b"])),
        ("SELECT `a;``b;`; c", Some(&["SELECT `a;``b;`", "c"])),
        (
            "SELECT N';', _utf8';', x'f'; b",
            Some(&["SELECT N';', _utf8';', x'f'", "b"]),
        ),
        ("SELECT 5--1; b", Some(&["SELECT 5--1", "b"])),
        ("SELECT 5-- 1;\n; b", Some(&["SELECT 5", "b"])),
        ("a --\n; b", Some(&["a", "b"])),
        ("# a; b'\nc; d -- e;", Some(&["c", "d"])),
        ("/* a; /* b; ' */ c; d", Some(&["c", "d"])),
        (
            "/*!40101 SET a = ';' */; b",
            Some(&["/*!40101 SET a = ';' */", "b"]),
        ),
        ("/*! a; b '*/' */ c; d", Some(&["/*! a; b '*/' */ c", "d"])),
        ("/*M!100600 a */; d", Some(&["/*M!100600 a */", "d"])),
        ("SELECT /*+ x; */ 1; d", Some(&["SELECT /*+ x; */ 1", "d"])),
        (
            "CREATE TABLE t (`begin` int, event int); begin; b",
            Some(&["CREATE TABLE t (`begin` int, event int)", "begin", "b"]),
        ),
        (
            "ALTER TABLE procedure ADD begin int; b",
            Some(&["ALTER TABLE procedure ADD begin int", "b"]),
        ),
        (
            "CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW SET NEW.a = CASE WHEN 1 THEN 2 END; b",
            Some(&[
                "CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW SET NEW.a = CASE WHEN 1 THEN 2 END",
                "b",
            ]),
        ),
        (TRIGGER, Some(&[TRIGGER])),
        (PROCEDURE, Some(&[PROCEDURE])),
        (
            "SELECT CASE WHEN a THEN b END; c",
            Some(&["SELECT CASE WHEN a THEN b END", "c"]),
        ),
        (
            "SELECT @a, @@b, 1e5, .5; b",
            Some(&["SELECT @a, @@b, 1e5, .5", "b"]),
        ),
        (r"SELECT '\'", None),
        (r"SELECT '\", None),
        ("SELECT `a", None),
        ("/* a", None),
        ("/*! a", None),
        ("CREATE PROCEDURE p() BEGIN a; b;", None),
        ("SELECT 1\\G", None),
        ("a;\n--migrate:down\nb", None),
    ];

    #[test]
    fn the_contract_of_splitting_is_kept() {
        let contract = SplitContract {
            split,
            cases: CASES,
            parts: &[
                "'",
                "\"",
                "`",
                "\\",
                "-- ",
                "--",
                "#",
                "\n",
                "/*",
                "/*!",
                "*/",
                "(",
                ")",
                ";",
                " ",
                "begin ",
                "end ",
                "if ",
                "case ",
                "create trigger ",
                "é",
            ],
        };
        contract.check();
    }

    #[test]
    fn errors_have_lines_and_hash_comments_are_no_pieces() {
        let error = split("a;\nb;\n  `x ;").unwrap_err().to_string();
        assert_eq!(error, "line 3: a name in backticks has no end");
        let statement = Piece::Statement { line: 2, text: "b" };
        assert_eq!(split("# a\nb").unwrap(), [statement]);
    }

    #[test]
    fn bodies_have_semicolons() {
        assert!(is_compound(PROCEDURE));
        assert!(!is_compound("SELECT ';' /* ; */"));
    }
}
