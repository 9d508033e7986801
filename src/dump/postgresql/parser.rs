//! Goes through the tokens of a statement.

use super::definition::TypeName;
use super::lexer::Token;
use crate::error::{Error, Result};

/// Words that end a type, in a definition or in an expression.
const BEHIND_A_TYPE: [&str; 21] = [
    "default",
    "not",
    "null",
    "collate",
    "generated",
    "constraint",
    "primary",
    "unique",
    "check",
    "references",
    "storage",
    "compression",
    "and",
    "or",
    "is",
    "in",
    "between",
    "when",
    "then",
    "else",
    "end",
];

/// A position in the tokens of a statement.
#[derive(Debug, Clone)]
pub(crate) struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(tokens: &'a [Token]) -> Parser<'a> {
        Parser { tokens, at: 0 }
    }

    pub(crate) fn rest(&self) -> &'a [Token] {
        &self.tokens[self.at..]
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// Whether the next token is the keyword `word`.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found == word)
    }

    /// Takes these keywords, if they come next.
    pub(crate) fn take(&mut self, words: &[&str]) -> bool {
        let before = self.at;
        for word in words {
            if !self.is(word) {
                self.at = before;
                return false;
            }
            self.at += 1;
        }
        true
    }

    pub(super) fn take_symbol(&mut self, symbol: char) -> bool {
        let found = self.peek() == Some(&Token::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_cast(&mut self) -> bool {
        let found = self.peek() == Some(&Token::Cast);
        self.at += usize::from(found);
        found
    }

    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    /// A name, quoted or not.
    pub(crate) fn name(&mut self) -> Result<String> {
        match self.next() {
            Some(Token::Word(name) | Token::Name(name)) => Ok(name.clone()),
            _ => Err(not_understood("a name is missing")),
        }
    }

    /// The last part of a name that may be qualified.
    pub(super) fn qualified(&mut self) -> Result<String> {
        Ok(self.path()?.pop().unwrap_or_default())
    }

    /// The parts of a name that may be qualified.
    pub(super) fn path(&mut self) -> Result<Vec<String>> {
        let mut path = vec![self.name()?];
        while self.take_symbol('.') {
            path.push(self.name()?);
        }
        Ok(path)
    }

    /// The tokens in the parentheses that begin here.
    pub(crate) fn parenthesised(&mut self) -> Result<&'a [Token]> {
        let begin = self.at + 1;
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') if depth == 1 => return Ok(&self.tokens[begin..self.at - 1]),
                Token::Symbol(')') if depth > 1 => depth -= 1,
                _ if depth == 0 => break,
                _ => {}
            }
        }
        Err(not_understood("parentheses are missing"))
    }

    /// Names in parentheses, with commas between them.
    pub(crate) fn names(&mut self) -> Result<Vec<String>> {
        let parts = split_at_commas(self.parenthesised()?);
        let name = |part: &[Token]| {
            let mut parser = Parser::new(part);
            let name = parser.name()?;
            if !parser.at_end() {
                return Err(not_understood("a list holds more than names"));
            }
            Ok(name)
        };
        parts.into_iter().map(name).collect()
    }

    /// The tokens up to one of these keywords outside of parentheses, or to the end.
    pub(super) fn until(&mut self, words: &[&str]) -> &'a [Token] {
        let begin = self.at;
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            match token {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => depth = depth.saturating_sub(1),
                Token::Word(word) if depth == 0 && words.contains(&word.as_str()) => break,
                _ => {}
            }
            self.at += 1;
        }
        &self.tokens[begin..self.at]
    }

    /// The name of a type, with its modifiers.
    pub(super) fn type_name(&mut self) -> Result<TypeName> {
        let mut parts: Vec<String> = Vec::new();
        let mut own_name = "";
        let mut modifiers = Vec::new();
        let mut is_array = false;
        while let Some(token) = self.peek() {
            match token {
                Token::Word(word) if BEHIND_A_TYPE.contains(&word.as_str()) => break,
                Token::Word(word) => {
                    own_name = word;
                    parts.push(word.clone());
                }
                Token::Name(name) if parts.is_empty() || parts.ends_with(&[".".to_owned()]) => {
                    own_name = name;
                    parts.push(format!("\"{name}\""));
                }
                Token::Symbol('.') => parts.push(".".to_owned()),
                Token::Symbol('(') if modifiers.is_empty() => {
                    let inside = self.parenthesised()?;
                    for part in split_at_commas(inside) {
                        modifiers.push(modifier(part)?);
                    }
                    continue;
                }
                Token::Symbol('[') => {
                    is_array = true;
                    while !self.take_symbol(']') {
                        if self.next().is_none() {
                            return Err(not_understood("a type has an open bracket"));
                        }
                    }
                    continue;
                }
                _ => break,
            }
            self.at += 1;
        }
        if parts.is_empty() {
            return Err(not_understood("a type is missing"));
        }
        let name = parts.join(" ").replace(" . ", ".");
        Ok(TypeName {
            name: name.strip_prefix("pg_catalog.").unwrap_or(&name).to_owned(),
            own_name: own_name.to_owned(),
            modifiers,
            is_array,
        })
    }
}

fn modifier(part: &[Token]) -> Result<u64> {
    match part {
        [Token::Number(number)] => number
            .parse()
            .map_err(|_| not_understood("a type has a modifier that is no number")),
        _ => Err(not_understood("a type has a modifier that is no number")),
    }
}

/// Splits `tokens` at the commas outside of parentheses.
pub(crate) fn split_at_commas(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut begin, mut depth) = (0, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Symbol('(') => depth += 1,
            Token::Symbol(')') => depth = depth.saturating_sub(1),
            Token::Symbol(',') if depth == 0 => {
                parts.push(&tokens[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if !tokens.is_empty() {
        parts.push(&tokens[begin..]);
    }
    parts
}

pub(super) fn not_understood(what: &str) -> Error {
    Error::failed(format!("a definition is not understood: {what}"))
}
