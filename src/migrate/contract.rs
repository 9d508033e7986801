//! What the SQL of every server must keep. Servers pass their own texts to these checks.

use super::dialect::{Dialect, Piece};
use crate::error::Result;

/// A text and its statements; none if the text is an error.
pub(crate) type SplitCase = (&'static str, Option<&'static [&'static str]>);

/// Cases that every server has.
const COMMON: &[SplitCase] = &[
    ("SELECT 1", Some(&["SELECT 1"])),
    ("", Some(&[])),
    ("a; b ;\nc\n", Some(&["a", "b", "c"])),
    ("SELECT ';'; b", Some(&["SELECT ';'", "b"])),
    ("SELECT 'it''s;'; b", Some(&["SELECT 'it''s;'", "b"])),
    ("SELECT 1); b", Some(&["SELECT 1)", "b"])),
    ("日本 'ü;' ; b", Some(&["日本 'ü;'", "b"])),
    ("SELECT '", None),
    ("SELECT (1; b", None),
];

/// What splitting a text into statements must keep.
pub(crate) struct SplitContract {
    /// Splits a text.
    pub(crate) split: fn(&str) -> Result<Vec<Piece<'_>>>,
    /// Further texts of the server, and their statements.
    pub(crate) cases: &'static [SplitCase],
    /// Texts with a meaning of their own; random texts are made of them.
    pub(crate) parts: &'static [&'static str],
}

impl SplitContract {
    /// Checks all of it.
    pub(crate) fn check(&self) {
        self.each_case();
        self.cut_at_every_byte();
        self.one_behind_the_other();
        self.random_texts();
        self.lines_and_comments();
    }

    fn cases(&self) -> impl Iterator<Item = &'static SplitCase> + Clone {
        COMMON.iter().chain(self.cases)
    }

    fn statements<'a>(&self, text: &'a str) -> Result<Vec<&'a str>> {
        let pieces = (self.split)(text)?.into_iter();
        let statements = pieces.filter_map(|piece| match piece {
            Piece::Statement { text, .. } => Some(text),
            Piece::Comment { .. } => None,
        });
        Ok(statements.collect())
    }

    fn each_case(&self) {
        for (text, expected) in self.cases() {
            let found = self.statements(text);
            match expected {
                Some(expected) => assert_eq!(&found.unwrap(), expected, "{text}"),
                None => assert!(found.is_err(), "{text}"),
            }
        }
    }

    /// A statement that a semicolon has ended does not depend on what follows.
    fn cut_at_every_byte(&self) {
        for (text, _) in self.cases() {
            for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                let part = self.statements(&text[..cut]);
                let (Ok(part), Ok(whole)) = (part, self.statements(text)) else {
                    continue;
                };
                // The last one may continue after the cut.
                let ended = part.len().saturating_sub(1);
                assert_eq!(part[..ended], whole[..ended], "{text} cut at {cut}");
            }
        }
    }

    /// Two texts in a row have the statements of both.
    fn one_behind_the_other(&self) {
        let whole = self
            .cases()
            .filter_map(|(text, found)| found.map(|found| (text, found)));
        for (one, of_one) in whole.clone() {
            for (other, of_other) in whole.clone() {
                let both = format!("{one}\n;{other}");
                let expected: Vec<&str> = of_one.iter().chain(of_other).copied().collect();
                assert_eq!(self.statements(&both).unwrap(), expected, "{both}");
            }
        }
    }

    /// Each statement of a random text is one statement when it stands alone.
    fn random_texts(&self) {
        let mut random = fastrand::Rng::with_seed(7);
        let mut split_well = 0;
        for _ in 0..50_000 {
            let count = random.usize(1..12);
            let text: String = (0..count)
                .map(|_| *random.choice(self.parts).unwrap())
                .collect();
            let Ok(found) = self.statements(&text) else {
                continue;
            };
            split_well += 1;
            for statement in found {
                assert!(text.contains(statement));
                // At the end of a text two dashes are a comment.
                if statement.ends_with("--") {
                    continue;
                }
                assert_eq!(
                    self.statements(statement).unwrap(),
                    [statement],
                    "of {text}"
                );
            }
        }
        assert!(split_well > 5_000, "{split_well}");
    }

    fn lines_and_comments(&self) {
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
        assert_eq!((self.split)(text).unwrap(), expected);
    }
}

/// Checks which statements a migration may not have, and which it may.
pub(crate) fn check_refused(dialect: Dialect, refused: &[&str], allowed: &[&str]) {
    for statement in refused {
        assert!(dialect.check(statement).is_err(), "{statement}");
    }
    for statement in allowed {
        assert!(dialect.check(statement).is_ok(), "{statement}");
    }
}
