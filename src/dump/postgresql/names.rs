//! Names inside of texts.

use super::dump_statement::BEGINNING_TOKENS;
use super::lexer::first_tokens;
use super::parser::Parser;

/// The name in a text such as `'public."A_id_seq"'`, without its schema.
pub(super) fn name_in_text(text: &str) -> String {
    let tokens = first_tokens(text, BEGINNING_TOKENS);
    Parser::new(&tokens)
        .qualified()
        .unwrap_or_else(|_| text.to_owned())
}
