//! Lists of the tokens that a lexer returns one at a time.

use super::bounds::MAX_TOKENS;
use crate::error::{Error, Result};

/// All tokens of a definition.
pub(super) fn all_tokens<T>(mut next: impl FnMut() -> Result<Option<T>>) -> Result<Vec<T>> {
    let mut tokens = Vec::new();
    while let Some(token) = next()? {
        if tokens.len() == MAX_TOKENS {
            return Err(Error::archive(format!(
                "a definition has more than {MAX_TOKENS} words"
            )));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

/// The first `count` tokens of a statement, or as many as can be read.
pub(super) fn first_tokens<T>(count: usize, mut next: impl FnMut() -> Result<Option<T>>) -> Vec<T> {
    let mut tokens = Vec::new();
    while tokens.len() < count {
        match next() {
            Ok(Some(token)) => tokens.push(token),
            _ => break,
        }
    }
    tokens
}
