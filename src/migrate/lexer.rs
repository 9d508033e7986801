//! Splits SQL into tokens. [`LexicalRules`] describe how servers differ; the lexer is the same for all.
//! Only the ends of tokens matter, not their values.

use super::token::{Token, TokenKind};
use crate::error::{Error, Result};

/// The lexical rules of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LexicalRules {
    /// The server's name, for messages.
    pub(crate) server: &'static str,
    /// The server's command-line client, for messages. Its commands begin with a backslash and are no SQL.
    pub(crate) client: &'static str,
    /// The characters that enclose a string. Two of them within a string stand for one.
    pub(crate) string_quotes: &'static [u8],
    /// Where a backslash in a string escapes the next character.
    pub(crate) escapes: Escapes,
    /// Whether `$tag$ … $tag$` is a string.
    pub(crate) dollar_quotes: bool,
    /// The character that encloses a name. Two of them within a name stand for one.
    pub(crate) name_quote: u8,
    /// The name of that character in the plural, for messages.
    pub(crate) name_quotes: &'static str,
    /// Whether a word may begin with a digit or a dollar. Otherwise digits are a number.
    pub(crate) words_begin_with_digits: bool,
    /// Whether `--` begins a comment only before a blank, a control character or the end.
    pub(crate) dashes_need_blank: bool,
    /// Whether `#` begins a comment that ends with its line.
    pub(crate) hash_comments: bool,
    /// Whether `/* … */` may contain comments of its kind.
    pub(crate) nested_comments: bool,
    /// Whether the server executes the content of `/*! … */` and `/*M! … */`.
    pub(crate) executable_comments: bool,
    /// The characters that end a line, and a comment with it.
    pub(crate) line_ends: &'static [u8],
}

/// Where a backslash in a string escapes the next character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// In all strings.
    Always,
    /// In `E'…'`. A string on a later line continues it, with its escapes.
    InEStrings,
}

/// Iterates over the tokens of a text. It has no use after an error.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    rules: &'static LexicalRules,
    at: usize,
    line: usize,
    /// The line where the current executable comment begins.
    executable: Option<usize>,
}

/// The tokens of `sql`, up to the first error.
pub(crate) fn tokens<'a>(
    sql: &'a str,
    rules: &'static LexicalRules,
) -> impl Iterator<Item = Token<'a>> {
    Lexer::new(sql, rules).map_while(Result::ok)
}

/// The words of `sql` in lower case, up to the first error.
pub(crate) fn words(sql: &str, rules: &'static LexicalRules) -> Vec<String> {
    tokens(sql, rules)
        .filter_map(|token| match token.kind {
            TokenKind::Word(word) => Some(word.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Result<Token<'a>>;

    fn next(&mut self) -> Option<Result<Token<'a>>> {
        self.advance(run(self.rest(), is_space));
        let Some(first) = self.rest().first() else {
            let unclosed = self.executable.take()?;
            return Some(Err(unterminated(unclosed, "a comment")));
        };
        let (start, line) = (self.at, self.line);
        Some(self.token(*first).map(|kind| Token {
            kind,
            start,
            end: self.at,
            line,
        }))
    }
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, rules: &'static LexicalRules) -> Lexer<'a> {
        Lexer {
            text,
            rules,
            at: 0,
            line: 1,
            executable: None,
        }
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn advance(&mut self, count: usize) {
        let passed = &self.rest()[..count];
        self.line += memchr::memchr_iter(b'\n', passed).count();
        self.at += count;
    }

    fn token(&mut self, first: u8) -> Result<TokenKind<'a>> {
        let (rest, rules) = (self.rest(), self.rules);
        let (length, kind) = match first {
            _ if rules.string_quotes.contains(&first) => {
                let length = self.string(1, first, rules.escapes == Escapes::Always)?;
                (length, TokenKind::Quoted)
            }
            _ if first == rules.name_quote => (self.quoted_name()?, TokenKind::Quoted),
            b'$' if rules.dollar_quotes => (self.dollar()?, TokenKind::Quoted),
            b'-' if self.is_line_comment() => {
                let length = self.line_length(rest);
                let text = &self.text[self.at + 2..self.at + length];
                (length, TokenKind::LineComment(text))
            }
            b'-' if rest.starts_with(b"--migrate:") => return Err(self.missing_blank()),
            b'#' if rules.hash_comments => (self.line_length(rest), TokenKind::Comment),
            b'/' | b'*' | b';' if self.is_of_executable_comment() => {
                (self.executable_comment(), TokenKind::Other)
            }
            b'/' if rest.starts_with(b"/*") => (self.block_comment()?, TokenKind::Comment),
            b';' => (1, TokenKind::Semicolon),
            b'(' => (1, TokenKind::Open),
            b')' => (1, TokenKind::Close),
            b'\\' => return Err(self.client_command()),
            b'e' | b'E' if rules.escapes == Escapes::InEStrings && rest.get(1) == Some(&b'\'') => {
                (self.string(2, b'\'', true)?, TokenKind::Quoted)
            }
            _ if self.begins_word(first) => {
                let length = run(rest, continues_word);
                let word = &self.text[self.at..self.at + length];
                (length, TokenKind::Word(word))
            }
            b'0'..=b'9' => (run(rest, |b| b.is_ascii_digit()), TokenKind::Quoted),
            _ => (1, TokenKind::Other),
        };
        self.advance(length);
        Ok(kind)
    }

    /// The length of the string whose content begins at `content`.
    fn string(&self, content: usize, quote: u8, escapes: bool) -> Result<usize> {
        let rest = self.rest();
        let continues = escapes && self.rules.escapes == Escapes::InEStrings;
        let mut at = content;
        loop {
            at = match rest.get(at) {
                None => return Err(unterminated(self.line, "a string")),
                Some(b'\\') if escapes => at + 2,
                Some(byte) if *byte == quote && rest.get(at + 1) == Some(&quote) => at + 2,
                Some(byte) if *byte == quote && continues => {
                    match self.continuation(&rest[at + 1..]) {
                        Some(gap) => at + 1 + gap + 1,
                        None => return Ok(at + 1),
                    }
                }
                Some(byte) if *byte == quote => return Ok(at + 1),
                Some(_) => at + 1,
            };
        }
    }

    /// The number of bytes between the end of a string and its continuation, which must begin on a later
    /// line. Line comments may stand between.
    fn continuation(&self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        let mut has_new_line = false;
        loop {
            match bytes.get(at)? {
                b'\'' => return has_new_line.then_some(at),
                b'\n' | b'\r' => (has_new_line, at) = (true, at + 1),
                b'-' if bytes[at..].starts_with(b"--") => at += self.line_length(&bytes[at..]),
                byte if is_space(*byte) => at += 1,
                _ => return None,
            }
        }
    }

    fn quoted_name(&self) -> Result<usize> {
        let (rest, quote) = (self.rest(), self.rules.name_quote);
        let mut at = 1;
        loop {
            let end = memchr::memchr(quote, &rest[at..]).ok_or_else(|| {
                let quotes = self.rules.name_quotes;
                unterminated(self.line, &format!("a name in {quotes}"))
            })?;
            at += end + 1;
            if rest.get(at) != Some(&quote) {
                return Ok(at);
            }
            at += 1;
        }
    }

    /// The length of a dollar-quoted string. A parameter or a lone dollar has the length 1.
    fn dollar(&self) -> Result<usize> {
        let rest = self.rest();
        let name = match rest.get(1) {
            Some(first) if is_letter(*first) => run(&rest[1..], |b| continues_word(b) && b != b'$'),
            _ => 0,
        };
        if rest.get(1 + name) != Some(&b'$') {
            return Ok(1);
        }
        let tag = &rest[..name + 2];
        let end = memchr::memmem::find(&rest[tag.len()..], tag).ok_or_else(|| {
            let tag = String::from_utf8_lossy(tag);
            unterminated(self.line, &format!("a text in {tag}"))
        })?;
        Ok(end + 2 * tag.len())
    }

    /// Whether a `--` comment begins here.
    fn is_line_comment(&self) -> bool {
        let is_end = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
        self.rest()
            .strip_prefix(b"--")
            .is_some_and(|rest| !self.rules.dashes_need_blank || rest.first().is_none_or(is_end))
    }

    /// Whether an executable comment begins or ends here, or a semicolon within it, which ends no statement.
    fn is_of_executable_comment(&self) -> bool {
        let rest = self.rest();
        let begins = rest.starts_with(b"/*!") || rest.starts_with(b"/*M!");
        let is_inside = self.executable.is_some();
        self.rules.executable_comments && begins
            || is_inside && (rest.starts_with(b"*/") || rest.starts_with(b";"))
    }

    /// Passes a mark of an executable comment, or a semicolon within it. Returns its length.
    fn executable_comment(&mut self) -> usize {
        let rest = self.rest();
        match rest[0] {
            b'/' => {
                self.executable.get_or_insert(self.line);
                let mark = if rest[2] == b'!' { 3 } else { 4 };
                mark + run(&rest[mark..], |b| b.is_ascii_digit())
            }
            b'*' => {
                self.executable = None;
                2
            }
            _ => 1,
        }
    }

    fn block_comment(&self) -> Result<usize> {
        let rest = self.rest();
        let (mut at, mut depth) = (2, 1_usize);
        while depth > 0 {
            let here = rest.get(at..).filter(|here| !here.is_empty());
            let here = here.ok_or_else(|| unterminated(self.line, "a comment"))?;
            if here.starts_with(b"*/") {
                depth -= 1;
                at += 2;
            } else if self.rules.nested_comments && here.starts_with(b"/*") {
                depth += 1;
                at += 2;
            } else {
                at += 1;
            }
        }
        Ok(at)
    }

    fn begins_word(&self, byte: u8) -> bool {
        is_letter(byte) || self.rules.words_begin_with_digits && continues_word(byte)
    }

    fn line_length(&self, bytes: &[u8]) -> usize {
        run(bytes, |byte| !self.rules.line_ends.contains(&byte))
    }

    fn missing_blank(&self) -> Error {
        Error::failed(format!(
            "line {}: in {} a comment has a blank behind its dashes",
            self.line, self.rules.server
        ))
        .hint("write -- migrate:")
    }

    fn client_command(&self) -> Error {
        let rest = self.rest();
        let shown = String::from_utf8_lossy(&rest[..self.line_length(rest).min(40)]);
        Error::failed(format!(
            "line {}: {shown} is no SQL: commands of {} are not known here",
            self.line, self.rules.client
        ))
    }
}

fn unterminated(line: usize, what: &str) -> Error {
    Error::failed(format!("line {line}: {what} has no end"))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn continues_word(byte: u8) -> bool {
    is_letter(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| belongs(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: LexicalRules = LexicalRules {
        server: "X",
        client: "the client x",
        string_quotes: b"'",
        escapes: Escapes::InEStrings,
        dollar_quotes: false,
        name_quote: b'"',
        name_quotes: "double quotes",
        words_begin_with_digits: false,
        dashes_need_blank: false,
        hash_comments: false,
        nested_comments: false,
        executable_comments: false,
        line_ends: b"\n",
    };
    const ALWAYS_ESCAPES: LexicalRules = LexicalRules {
        string_quotes: b"'\"",
        escapes: Escapes::Always,
        name_quote: b'`',
        name_quotes: "backticks",
        ..PLAIN
    };
    const DOLLARS: LexicalRules = LexicalRules {
        dollar_quotes: true,
        ..PLAIN
    };
    const DIGITS: LexicalRules = LexicalRules {
        words_begin_with_digits: true,
        ..PLAIN
    };
    const BLANK: LexicalRules = LexicalRules {
        dashes_need_blank: true,
        ..PLAIN
    };
    const HASH: LexicalRules = LexicalRules {
        hash_comments: true,
        ..PLAIN
    };
    const NESTED: LexicalRules = LexicalRules {
        nested_comments: true,
        ..PLAIN
    };
    const EXECUTABLE: LexicalRules = LexicalRules {
        executable_comments: true,
        ..PLAIN
    };
    const RETURNS: LexicalRules = LexicalRules {
        line_ends: b"\n\r",
        ..PLAIN
    };

    /// The tokens of a text, `|` between them, each after a letter for its kind; or the error.
    fn shown(text: &str, rules: &'static LexicalRules) -> String {
        let tokens: Result<Vec<Token<'_>>> = Lexer::new(text, rules).collect();
        let shown = |token: Token<'_>| {
            let kind = match token.kind {
                TokenKind::Word(_) => 'w',
                TokenKind::Quoted => 'q',
                TokenKind::LineComment(_) | TokenKind::Comment => 'c',
                TokenKind::Semicolon | TokenKind::Open | TokenKind::Close | TokenKind::Other => 'o',
            };
            format!("{kind}{}", &text[token.start..token.end])
        };
        match tokens {
            Ok(tokens) => tokens.into_iter().map(shown).collect::<Vec<_>>().join("|"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_rule_has_its_effect() {
        for (text, rules, with, without) in [
            (
                r"'\' a'",
                &ALWAYS_ESCAPES,
                r"q'\' a'",
                "line 1: a string has no end",
            ),
            (
                r#""\"";a"#,
                &ALWAYS_ESCAPES,
                r#"q"\""|o;|wa"#,
                "line 1: a name in double quotes",
            ),
            ("$a$;$a$", &DOLLARS, "q$a$;$a$", "o$|wa$|o;|o$|wa$"),
            ("1a $b", &DIGITS, "w1a|w$b", "q1|wa|o$|wb"),
            ("--a\n-- b", &BLANK, "o-|o-|wa|c-- b", "c--a|c-- b"),
            ("a #;\nb", &HASH, "wa|c#;|wb", "wa|o#|o;|wb"),
            ("/*/**/a*/", &NESTED, "c/*/**/a*/", "c/*/**/|wa|o*|o/"),
            (
                "/*!12 a;*/;",
                &EXECUTABLE,
                "o/*!12|wa|o;|o*/|o;",
                "c/*!12 a;*/|o;",
            ),
            ("--a\rb", &RETURNS, "c--a|wb", "c--a\rb"),
        ] {
            assert_eq!(shown(text, rules), with, "{text}");
            let plain = shown(text, &PLAIN);
            assert!(plain.starts_with(without), "{text}: {plain}");
        }
    }

    #[test]
    fn what_has_no_end_is_an_error_with_its_line() {
        for (text, rules, expected) in [
            ("\n'a", &PLAIN, "line 2: a string has no end"),
            (
                "\"a\n",
                &PLAIN,
                "line 1: a name in double quotes has no end",
            ),
            (
                "`a\n",
                &ALWAYS_ESCAPES,
                "line 1: a name in backticks has no end",
            ),
            ("\n\n$$ $", &DOLLARS, "line 3: a text in $$ has no end"),
            ("/* *", &PLAIN, "line 1: a comment has no end"),
            ("a\n/*! b\n", &EXECUTABLE, "line 2: a comment has no end"),
            (
                "--migrate:up",
                &BLANK,
                "line 1: in X a comment has a blank behind its dashes",
            ),
            (
                "a\n\\b",
                &PLAIN,
                "line 2: \\b is no SQL: commands of the client x are not known here",
            ),
        ] {
            assert_eq!(shown(text, rules), expected, "{text}");
        }
    }

    #[test]
    fn words_are_unquoted() {
        let found = words("/* a */ Copy \"b\" (c) FROM 'd' -- e\n stdin", &PLAIN);
        assert_eq!(found, ["copy", "c", "from", "stdin"]);
    }
}
