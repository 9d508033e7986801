//! Computes the few expressions that dumps set variables to: texts, variables, CONCAT, IF, REPLACE.

use super::lexer::{Token, TokenKind};

/// No more alternatives of one value are kept.
const MAX_ALTERNATIVES: usize = 16;

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// It is one of these texts. Numbers and words are texts, too.
    OneOf(Vec<String>),
    /// It begins so.
    Begins(String),
    /// NULL, as of a variable that was not set.
    Null,
    /// Nothing is known.
    Unknown,
}

impl Value {
    /// The value, if it is certain.
    pub(super) fn single(&self) -> Option<&str> {
        match self {
            Value::OneOf(texts) if texts.len() == 1 => Some(&texts[0]),
            _ => None,
        }
    }

    /// All that is known.
    pub(super) fn texts(&self) -> &[String] {
        match self {
            Value::OneOf(texts) => texts,
            Value::Begins(text) => std::slice::from_ref(text),
            Value::Null | Value::Unknown => &[],
        }
    }

    fn one(text: &str) -> Value {
        Value::OneOf(vec![text.to_owned()])
    }
}

/// The value of the expression `tokens`. `variable` gives that of `@name` and `@@name`, in lower case.
pub(super) fn evaluate(tokens: &[Token], variable: &dyn Fn(&str) -> Value) -> Value {
    let tokens = match tokens {
        [tokens @ .., last] if last.kind == TokenKind::Symbol(';') => tokens,
        tokens => tokens,
    };
    let first = tokens.first().map(|token| &token.kind);
    match (first, tokens) {
        (
            Some(TokenKind::Text(text) | TokenKind::DoubleQuoted(text) | TokenKind::Number(text)),
            [_],
        ) => Value::one(text),
        // Adjacent texts are one.
        (Some(TokenKind::Text(text) | TokenKind::DoubleQuoted(text)), [_, rest @ ..]) => {
            match (&rest[0].kind, evaluate(rest, variable)) {
                (TokenKind::Text(_) | TokenKind::DoubleQuoted(_), rest) => {
                    concatenated(Value::one(text), &rest)
                }
                _ => Value::Unknown,
            }
        }
        (Some(TokenKind::Symbol('(')), [_, inner @ .., last])
            if last.kind == TokenKind::Symbol(')') =>
        {
            let is_select = inner.first().is_some_and(|token| is_word(token, "SELECT"));
            evaluate(&inner[usize::from(is_select)..], variable)
        }
        (Some(TokenKind::Word(word)), [_]) if word.starts_with('@') => {
            variable(&word.to_ascii_lowercase())
        }
        (Some(TokenKind::Word(word)), [_]) => Value::one(word),
        // `_utf8'text'`
        (Some(TokenKind::Word(word)), [_, rest @ ..])
            if word.starts_with('_') && matches!(rest[0].kind, TokenKind::Text(_)) =>
        {
            evaluate(rest, variable)
        }
        (Some(TokenKind::Word(word)), [_, rest @ ..]) if word.starts_with('@') => {
            scoped_variable(word, rest, variable)
        }
        (Some(TokenKind::Word(name)), _) => call(name, tokens, variable),
        _ => Value::Unknown,
    }
}

/// `tokens` cut at the commas outside of parentheses.
pub(super) fn split_at_commas(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0;
    tokens
        .split(|token| {
            match token.kind {
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(')') => depth -= 1,
                _ => {}
            }
            depth == 0 && token.kind == TokenKind::Symbol(',')
        })
        .filter(|part| !part.is_empty())
        .collect()
}

/// `@@session.name`, or `` @`name` ``.
fn scoped_variable(word: &str, rest: &[Token], variable: &dyn Fn(&str) -> Value) -> Value {
    match (word, rest) {
        (
            "@",
            [
                Token {
                    kind: TokenKind::Identifier(name) | TokenKind::Text(name),
                    ..
                },
            ],
        ) => variable(&format!("@{}", name.to_ascii_lowercase())),
        (
            _,
            [
                dot,
                Token {
                    kind: TokenKind::Word(name),
                    ..
                },
            ],
        ) if dot.kind == TokenKind::Symbol('.') => {
            if word.eq_ignore_ascii_case("@@global") {
                // What the server has is not known; it counts as the default.
                return Value::one("default");
            }
            variable(&format!("@@{}", name.to_ascii_lowercase()))
        }
        _ => Value::Unknown,
    }
}

/// `name(argument, …)`, with the name of a schema before it, if there is one.
fn call(name: &str, tokens: &[Token], variable: &dyn Fn(&str) -> Value) -> Value {
    let (name, tokens) = match tokens {
        [
            _,
            dot,
            Token {
                kind: TokenKind::Word(name),
                ..
            },
            rest @ ..,
        ] if dot.kind == TokenKind::Symbol('.') => (name.as_str(), rest),
        [_, rest @ ..] => (name, rest),
        [] => return Value::Unknown,
    };
    let [open, inner @ .., close] = tokens else {
        return Value::Unknown;
    };
    if open.kind != TokenKind::Symbol('(') || close.kind != TokenKind::Symbol(')') {
        return Value::Unknown;
    }
    let arguments = split_at_commas(inner);
    let value = |at: usize| evaluate(arguments[at], variable);
    match (name.to_ascii_uppercase().as_str(), arguments.len()) {
        ("CONCAT", 1..) => {
            let rest = arguments.iter().skip(1);
            rest.fold(value(0), |all, next| {
                concatenated(all, &evaluate(next, variable))
            })
        }
        ("IF", 3) => match (value(1), value(2)) {
            (Value::OneOf(mut texts), Value::OneOf(others))
                if texts.len() + others.len() <= MAX_ALTERNATIVES =>
            {
                texts.extend(others);
                Value::OneOf(texts)
            }
            _ => Value::Unknown,
        },
        ("IFNULL" | "COALESCE", 2) => match value(0) {
            Value::Null => value(1),
            known => known,
        },
        ("REPLACE", 3) => match (value(0), value(1).single(), value(2).single()) {
            (Value::OneOf(texts), Some(from), Some(to)) if !from.is_empty() => {
                Value::OneOf(texts.iter().map(|text| text.replace(from, to)).collect())
            }
            _ => Value::Unknown,
        },
        ("LIST_ADD", 2) => concatenated(concatenated(value(0), &Value::one(",")), &value(1)),
        ("LIST_DROP", 2) => match (value(0), value(1).single()) {
            (Value::OneOf(texts), Some(dropped)) => {
                let without = |text: &String| {
                    let kept = text
                        .split(',')
                        .filter(|mode| !mode.eq_ignore_ascii_case(dropped));
                    kept.collect::<Vec<_>>().join(",")
                };
                Value::OneOf(texts.iter().map(without).collect())
            }
            _ => Value::Unknown,
        },
        _ => Value::Unknown,
    }
}

fn concatenated(begin: Value, end: &Value) -> Value {
    match (begin, end) {
        (Value::OneOf(begins), Value::OneOf(ends))
            if begins.len() * ends.len() <= MAX_ALTERNATIVES =>
        {
            let joined = |begin: &String| {
                ends.iter()
                    .map(move |end| format!("{begin}{end}"))
                    .collect::<Vec<_>>()
            };
            Value::OneOf(begins.iter().flat_map(joined).collect())
        }
        (Value::OneOf(mut begins), _) if begins.len() == 1 => Value::Begins(begins.remove(0)),
        (Value::Begins(begin), _) => Value::Begins(begin),
        _ => Value::Unknown,
    }
}

/// Whether `token` is this word, in any case.
pub(super) fn is_word(token: &Token, word: &str) -> bool {
    matches!(&token.kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word))
}
