//! Splits the text of one statement of a MySQL dump into tokens.
//!
//! Comments are dropped. The content of executable comments (`/*!40101 … */`) is kept, since a server
//! would execute it. This is for definitions and heads of INSERTs; rows have a faster scanner.

use crate::dump::quoting::Quoting;
use crate::dump::token_list;
use crate::error::{Error, Result};

/// A token and where it stands in the statement, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Offset of its first byte.
    pub start: usize,
    /// Offset behind its last byte.
    pub end: usize,
}

/// The kinds of tokens; strings and identifiers come unescaped.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// A keyword or a bare identifier.
    Word(String),
    /// An identifier in backticks.
    Identifier(String),
    /// In double quotes: a string, but an identifier in a dump of which only the header set `ANSI_QUOTES`.
    /// Under `ANSI_QUOTES` it is an `Identifier`.
    DoubleQuoted(String),
    /// A string in single quotes.
    Text(String),
    /// A number without sign, as it is written.
    Number(String),
    /// `b'101'`: the digits.
    Bits(String),
    /// `0x1F` or `x'1F'`: the digits.
    Hex(String),
    /// Any other character.
    Symbol(char),
}

/// The tokens of `statement`, in order.
pub fn tokens(statement: &str) -> Result<Vec<Token>> {
    tokens_in(statement, Quoting::default())
}

/// As [`tokens`], for a statement that is quoted in another way.
pub fn tokens_in(statement: &str, quoting: Quoting) -> Result<Vec<Token>> {
    let mut lexer = Lexer::new(statement, quoting);
    token_list::all_tokens(|| lexer.next())
}

/// The first `count` tokens of `statement`, or as many as can be read: enough to see what kind of
/// statement it is, whatever follows.
#[must_use]
pub fn first_tokens(statement: &str, count: usize, quoting: Quoting) -> Vec<Token> {
    let mut lexer = Lexer::new(statement, quoting);
    token_list::first_tokens(count, || lexer.next())
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    quoting: Quoting,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, quoting: Quoting) -> Lexer<'a> {
        Lexer {
            text,
            at: 0,
            quoting,
        }
    }

    fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn next(&mut self) -> Result<Option<Token>> {
        self.skip_blank()?;
        let start = self.at;
        let Some(&byte) = self.rest().first() else {
            return Ok(None);
        };
        let kind = match byte {
            b'`' => TokenKind::Identifier(self.quoted(b'`')?),
            b'"' if self.quoting.ansi_quotes => TokenKind::Identifier(self.quoted(b'"')?),
            b'"' => TokenKind::DoubleQuoted(self.quoted(b'"')?),
            b'\'' => TokenKind::Text(self.quoted(b'\'')?),
            b'0'..=b'9' => self.number_or_hex(),
            b'.' if self.rest().get(1).is_some_and(u8::is_ascii_digit) => self.number_or_hex(),
            b'b' | b'B' if self.rest().get(1) == Some(&b'\'') => {
                self.at += 1;
                TokenKind::Bits(self.digits(|byte| matches!(byte, b'0' | b'1'))?)
            }
            b'x' | b'X' if self.rest().get(1) == Some(&b'\'') => {
                self.at += 1;
                TokenKind::Hex(self.digits(|byte| byte.is_ascii_hexdigit())?)
            }
            _ if is_word(byte) => TokenKind::Word(self.run(is_word)),
            _ => {
                let symbol = self.text[self.at..].chars().next().unwrap_or('\0');
                self.at += symbol.len_utf8();
                TokenKind::Symbol(symbol)
            }
        };
        Ok(Some(Token {
            kind,
            start,
            end: self.at,
        }))
    }

    fn skip_blank(&mut self) -> Result<()> {
        loop {
            let rest = self.rest();
            if rest.first().is_some_and(u8::is_ascii_whitespace) {
                self.at += 1;
            } else if rest.starts_with(b"*/") {
                self.at += 2;
            } else if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") {
                self.at += if rest[2] == b'!' { 3 } else { 4 };
                self.run(|byte| byte.is_ascii_digit());
            } else if rest.starts_with(b"/*") {
                let end = memchr::memmem::find(&rest[2..], b"*/")
                    .ok_or_else(|| Error::archive("a comment has no end"))?;
                self.at += end + 4;
            } else if rest.starts_with(b"#") || is_line_comment(rest) {
                // In a file of an old Macintosh no line ends with LF.
                let end = memchr::memchr(b'\n', rest).or_else(|| memchr::memchr(b'\r', rest));
                self.at += end.unwrap_or(rest.len());
            } else {
                return Ok(());
            }
        }
    }

    fn run(&mut self, belongs: fn(u8) -> bool) -> String {
        let length = self.rest().iter().take_while(|b| belongs(**b)).count();
        let run = self.text[self.at..self.at + length].to_owned();
        self.at += length;
        run
    }

    fn number_or_hex(&mut self) -> TokenKind {
        if self.rest().starts_with(b"0x") {
            self.at += 2;
            return TokenKind::Hex(self.run(|byte| byte.is_ascii_hexdigit()));
        }
        let mut number = self.run(|byte| byte.is_ascii_digit() || byte == b'.');
        let exponent = self.rest();
        if matches!(exponent.first(), Some(b'e' | b'E'))
            && matches!(exponent.get(1), Some(b'0'..=b'9' | b'+' | b'-'))
        {
            number.push('e');
            number.push(char::from(exponent[1]));
            self.at += 2;
            number += &self.run(|byte| byte.is_ascii_digit());
        }
        // `2fa_enabled`, without quotes, is a word that begins with digits.
        if self.rest().first().is_some_and(|b| is_word(*b)) && !number.contains('.') {
            return TokenKind::Word(number + &self.run(is_word));
        }
        TokenKind::Number(number)
    }

    /// The digits in the quotes that begin here. They become SQL unchanged, so they are checked.
    fn digits(&mut self, belongs: fn(u8) -> bool) -> Result<String> {
        let digits = self.quoted(b'\'')?;
        if digits.bytes().all(belongs) {
            return Ok(digits);
        }
        Err(Error::archive("the characters between the quotes are no digits").withholding(digits))
    }

    /// The content of the quoted text that begins here.
    fn quoted(&mut self, quote: u8) -> Result<String> {
        let mut content = Vec::new();
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        let escapes = self.quoting.escapes_in(quote);
        loop {
            match bytes.get(at) {
                None => return Err(Error::archive("a quoted text has no end")),
                Some(byte) if *byte == quote => {
                    if bytes.get(at + 1) != Some(&quote) {
                        break;
                    }
                    content.push(quote);
                    at += 2;
                }
                Some(b'\\') if escapes && at + 1 < bytes.len() => {
                    unescape(bytes[at + 1], &mut content);
                    at += 2;
                }
                Some(byte) => {
                    content.push(*byte);
                    at += 1;
                }
            }
        }
        self.at = at + 1;
        String::from_utf8(content).map_err(|_| Error::archive("a quoted text is not valid UTF-8"))
    }
}

/// Appends what a backslash followed by `byte` stands for (MySQL manual, 11.1.1).
fn unescape(byte: u8, content: &mut Vec<u8>) {
    match byte {
        b'0' => content.push(0),
        b'b' => content.push(8),
        b'n' => content.push(b'\n'),
        b'r' => content.push(b'\r'),
        b't' => content.push(b'\t'),
        b'Z' => content.push(0x1a),
        b'%' | b'_' => content.extend([b'\\', byte]),
        other => content.push(other),
    }
}

fn is_line_comment(rest: &[u8]) -> bool {
    rest.starts_with(b"--") && rest.get(2).is_none_or(u8::is_ascii_whitespace)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::bounds::MAX_TOKENS;

    fn check(statement: &str, expected: &str) {
        let tokens = tokens(statement).unwrap();
        let shown: Vec<String> = tokens
            .iter()
            .map(|token| match &token.kind {
                TokenKind::Word(text) => text.clone(),
                TokenKind::Identifier(text) => format!("`{text}`"),
                TokenKind::DoubleQuoted(text) => format!("\"{text}\""),
                TokenKind::Text(text) => format!("'{text}'"),
                TokenKind::Number(text) => format!("#{text}"),
                TokenKind::Bits(text) => format!("b{text}"),
                TokenKind::Hex(text) => format!("x{text}"),
                TokenKind::Symbol(symbol) => symbol.to_string(),
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{statement}");
    }

    #[test]
    fn each_kind_of_token() {
        check("CREATE TABLE `a``b` (", "CREATE TABLE `a`b` (");
        check("\"a b\" int(11)", "\"a b\" int ( #11 )");
        check(r"'it''s' 'a\'b\n\\' '\%'", "'it's' 'a'b\n\\' '\\%'");
        check(
            "b'01' B'1' x'fF' 0xAB 1.5 1e-7 .5 7",
            "b01 b1 xfF xAB #1.5 #1e-7 #.5 #7",
        );
        check(
            "2fa_enabled _utf8mb3'' 日本",
            "2fa_enabled _utf8mb3 '' 日本",
        );
    }

    #[test]
    fn quotes_are_read_as_the_mode_says() {
        let kinds = |statement: &str, backslash_escapes, ansi_quotes| {
            let quoting = Quoting {
                backslash_escapes,
                ansi_quotes,
            };
            let tokens = tokens_in(statement, quoting).unwrap();
            let kinds = tokens.into_iter().map(|token| token.kind);
            kinds.collect::<Vec<_>>()
        };
        let statement = r#"'a\\b' "c\"d""#;
        let text = |text: &str| TokenKind::Text(text.into());
        assert_eq!(
            kinds(statement, true, false),
            [text(r"a\b"), TokenKind::DoubleQuoted("c\"d".into())]
        );
        assert_eq!(
            kinds(r#"'a\' "b\" 'c'"#, false, true),
            [text("a\\"), TokenKind::Identifier("b\\".into()), text("c")]
        );
    }

    #[test]
    fn digits_are_digits() {
        for statement in [
            "b'02'",
            "b'0''); --'",
            "x'0g'",
            "X'41''::bytea); --'",
            "b'0\\''",
        ] {
            assert!(tokens(statement).is_err(), "{statement}");
        }
    }

    #[test]
    fn a_definition_has_so_many_words_and_no_more() {
        assert!(tokens(&"a ".repeat(MAX_TOKENS)).is_ok());
        assert!(tokens(&"a ".repeat(MAX_TOKENS + 1)).is_err());
        assert_eq!(
            first_tokens(&"a ".repeat(MAX_TOKENS + 1), 3, Quoting::default()).len(),
            3
        );
    }

    #[test]
    fn comments_and_what_executable_ones_hold() {
        check("a /* b */ c -- d\ne # f\ng", "a c e g");
        check("/*!40101 SET NAMES utf8 */;", "SET NAMES utf8 ;");
        check(
            "a /*!50606 STORAGE DISK */ /*M!100100 b */",
            "a STORAGE DISK b",
        );
    }
}
