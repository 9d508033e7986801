//! Splits the text of one statement into tokens (PostgreSQL manual, 4.1). The splitter has removed the comments.

use super::splitter::is_word;
use super::strings::unquote;
use crate::dump::token_list;
use crate::error::{Error, Result};

/// A token; names and texts come without quotes and escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword or a name without quotes, in lower case, as the server folds it.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A string.
    Text(String),
    /// A number without sign, as it is written.
    Number(String),
    /// `::`
    Cast,
    /// Any other character.
    Symbol(char),
}

/// The tokens of `statement`. `escapes` tells whether backslashes escape in ordinary strings.
pub(crate) fn tokens(statement: &str, escapes: bool) -> Result<Vec<Token>> {
    let mut lexer = Lexer::new(statement, escapes);
    token_list::all_tokens(|| lexer.next())
}

/// The first `count` tokens of `statement`, or as many as can be read.
pub(super) fn first_tokens(statement: &str, count: usize) -> Vec<Token> {
    let mut lexer = Lexer::new(statement, false);
    token_list::first_tokens(count, || lexer.next())
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    escapes: bool,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, escapes: bool) -> Lexer<'a> {
        Lexer {
            text,
            at: 0,
            escapes,
        }
    }

    fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn next(&mut self) -> Result<Option<Token>> {
        self.run(|byte| byte.is_ascii_whitespace());
        let Some(&first) = self.rest().first() else {
            return Ok(None);
        };
        let second = self.rest().get(1).copied();
        let token = match (first, second) {
            (b'\'', _) => Token::Text(self.quoted(b'\'', self.escapes)?),
            (b'e' | b'E', Some(b'\'')) => {
                self.at += 1;
                Token::Text(self.quoted(b'\'', true)?)
            }
            (b'"', _) => Token::Name(self.quoted(b'"', false)?),
            (b'0'..=b'9', _) | (b'.', Some(b'0'..=b'9')) => Token::Number(self.number()),
            (b':', Some(b':')) => {
                self.at += 2;
                Token::Cast
            }
            _ if is_word(first) && first != b'$' => {
                // Only single-byte encodings fold letters beyond ASCII.
                Token::Word(self.run(is_word).to_ascii_lowercase())
            }
            _ => {
                let symbol = self.text[self.at..].chars().next().unwrap_or('\0');
                self.at += symbol.len_utf8();
                Token::Symbol(symbol)
            }
        };
        Ok(Some(token))
    }

    fn run(&mut self, belongs: fn(u8) -> bool) -> &str {
        let length = self.rest().iter().take_while(|b| belongs(**b)).count();
        self.at += length;
        &self.text[self.at - length..self.at]
    }

    fn number(&mut self) -> String {
        let mut number = self
            .run(|byte| byte.is_ascii_digit() || byte == b'.')
            .to_owned();
        if let [b'e' | b'E', b'+' | b'-' | b'0'..=b'9', ..] = self.rest() {
            number.push('e');
            number.push(char::from(self.rest()[1]));
            self.at += 2;
            number += self.run(|byte| byte.is_ascii_digit());
        }
        number
    }

    fn quoted(&mut self, quote: u8, escapes: bool) -> Result<String> {
        let open = || Error::archive("a quoted text has no end");
        let content = &self.rest()[1..];
        let mut length = 0;
        loop {
            let byte = *content.get(length).ok_or_else(open)?;
            let pair = byte == quote && content.get(length + 1) == Some(&quote);
            if byte == quote && !pair {
                break;
            }
            length += if pair || byte == b'\\' && escapes {
                2
            } else {
                1
            };
        }
        let content = content.get(..length).ok_or_else(open)?;
        let mut text = Vec::new();
        if quote == b'"' {
            let name = String::from_utf8_lossy(content).replace("\"\"", "\"");
            text.extend_from_slice(name.as_bytes());
        } else {
            unquote(content, escapes, &mut text).map_err(Error::archive)?;
        }
        self.at += length + 2;
        String::from_utf8(text).map_err(|_| Error::archive("a quoted text is not valid UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_token() {
        let found = tokens(
            "ALTER \"a\"\"B\".c 'it''s\\' E'\\'\\n' 1.5e-7 .5 ::x, 日本",
            false,
        );
        let word = |text: &str| Token::Word(text.to_owned());
        let expected = [
            word("alter"),
            Token::Name("a\"B".to_owned()),
            Token::Symbol('.'),
            word("c"),
            Token::Text("it's\\".to_owned()),
            Token::Text("'\n".to_owned()),
            Token::Number("1.5e-7".to_owned()),
            Token::Number(".5".to_owned()),
            Token::Cast,
            word("x"),
            Token::Symbol(','),
            word("日本"),
        ];
        assert_eq!(found.unwrap(), expected);
        for open in ["'a", "\"a", "E'\\'", "'a''", "E'\\"] {
            assert!(tokens(open, false).is_err(), "{open}");
        }
    }
}
